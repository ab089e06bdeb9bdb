"""Which filter chain of a listener takes a connection.

Envoy narrows the chains criterion by criterion in a fixed order (FilterChainMatch): destination port, destination
address, server name, transport protocol, application protocols, the directly connected address, the sort of source,
source address, source port. In each, only the chains with the most specific value that fits go on, chains without a
value being the least specific. It never goes back: when a later criterion leaves nothing, the default filter chain
takes the connection, and without one it is closed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from envoy.config.core.v3 import address_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2

from mizzen.simulate.call import Call
from mizzen.simulate.inspection import Detected
from mizzen.simulate.outcome import Candidate, Stage, Step

Chain: TypeAlias = components.FilterChain
Match: TypeAlias = components.FilterChainMatch


@dataclass(frozen=True)
class _Seen:
    """A connection, as the criteria ask for it."""

    call: Call
    detected: Detected


@dataclass(frozen=True)
class _Criterion:
    """``rank`` is how specific a chain's fitting value is: None does not fit, 0 has no value, more is closer."""

    name: str
    rank: Callable[[Match, _Seen], int | None]
    wanted: Callable[[Match], str]
    offered: Callable[[_Seen], str]


@dataclass
class _Field:
    """The chains that are left, and why the others are not."""

    left: list[Chain]
    passed: list[tuple[Chain, str]] = field(default_factory=list)

    def narrow(self, criterion: _Criterion, seen: _Seen) -> None:
        ranks = [(chain, criterion.rank(chain.filter_chain_match, seen)) for chain in self.left]
        best = max((rank for _, rank in ranks if rank is not None), default=None)
        self.left = [chain for chain, rank in ranks if rank is not None and rank == best]
        for chain, rank in ranks:
            if rank is None or rank != best:
                wanted = criterion.wanted(chain.filter_chain_match)
                offered = criterion.offered(seen)
                self.passed.append((chain, _why(criterion.name, wanted, offered, fits=rank is not None)))


def choose(listener: listener_pb2.Listener, call: Call, detected: Detected) -> tuple[Chain | None, Step]:
    """The filter chain for ``call``, and why that one."""
    seen = _Seen(call, detected)
    chains = _Field(list(listener.filter_chains))
    for criterion in _CRITERIA:
        chains.narrow(criterion, seen)
    others = tuple(Candidate(chain.name, why) for chain, why in chains.passed)
    if chains.left:
        chain = chains.left[0]
        return chain, Step(Stage.FILTER_CHAIN, chain.name, _matched(chain.filter_chain_match), others)
    if listener.HasField("default_filter_chain"):
        chain = listener.default_filter_chain
        return chain, Step(Stage.FILTER_CHAIN, chain.name, "the default chain: no other fits", others)
    return None, Step(Stage.FILTER_CHAIN, "", "no chain fits and there is no default: the connection is closed", others)


def _why(name: str, wanted: str, offered: str, *, fits: bool) -> str:
    if fits:
        return f"another chain is more specific about the {name}" if not wanted else f"its {name} {wanted} is wider"
    return f"wants {name} {wanted}, the connection has {offered or 'none'}"


def _matched(match: Match) -> str:
    wanted = [f"{c.name} {c.wanted(match)}" for c in _CRITERIA if c.wanted(match)]
    return "fits: " + ", ".join(wanted) if wanted else "it takes every connection that no other chain wants"


def _port(match: Match, seen: _Seen) -> int | None:
    if not match.HasField("destination_port"):
        return 0
    return 1 if match.destination_port.value == seen.call.port else None


def _prefix(ranges: Iterable[address_pb2.CidrRange], address: str) -> int | None:
    """The length of the longest range that holds ``address``, plus one."""
    listed = list(ranges)
    if not listed:
        return 0
    meant = ipaddress.ip_address(address)
    lengths = [
        network.prefixlen + 1
        for entry in listed
        if meant in (network := ipaddress.ip_network(f"{entry.address_prefix}/{entry.prefix_len.value}", strict=False))
    ]
    return max(lengths, default=None)


def _ranges(ranges: Iterable[address_pb2.CidrRange]) -> str:
    return ", ".join(f"{entry.address_prefix}/{entry.prefix_len.value}" for entry in ranges)


def _server_name(match: Match, seen: _Seen) -> int | None:
    """The exact name goes first, then the longest ``*.`` suffix; ``*.a.com`` does not take ``a.com``."""
    if not match.server_names:
        return 0
    name = seen.detected.server_name
    lengths = [len(wanted) * 2 + 1 for wanted in match.server_names if wanted.lower() == name and name]
    lengths += [
        len(wanted) * 2
        for wanted in match.server_names
        if wanted.startswith("*.") and name.endswith(wanted[1:].lower()) and len(name) > len(wanted) - 1
    ]
    return max(lengths, default=None)


def _transport(match: Match, seen: _Seen) -> int | None:
    if not match.transport_protocol:
        return 0
    return 1 if match.transport_protocol == seen.detected.transport else None


def _application(match: Match, seen: _Seen) -> int | None:
    """The client's order decides: the first protocol of its offer that some chain names."""
    if not match.application_protocols:
        return 0
    offered = seen.detected.protocols
    places = [len(offered) - place for place, name in enumerate(offered) if name in match.application_protocols]
    return max(places, default=None)


def _direct_source(match: Match, seen: _Seen) -> int | None:
    return _prefix(match.direct_source_prefix_ranges, seen.call.source)


def _source_type(match: Match, seen: _Seen) -> int | None:
    if match.source_type == Match.ANY:
        return 0
    wanted = Match.SAME_IP_OR_LOOPBACK if _is_local(seen.call) else Match.EXTERNAL
    return 1 if match.source_type == wanted else None


def _is_local(call: Call) -> bool:
    """The client's address is the one that was dialled, or the loopback address: Envoy has only these two for it."""
    return call.source in (call.address, "127.0.0.1", "::1")


def _source(match: Match, seen: _Seen) -> int | None:
    return _prefix(match.source_prefix_ranges, seen.call.source)


def _source_port(match: Match, seen: _Seen) -> int | None:
    if not match.source_ports:
        return 0
    return 1 if seen.call.source_port in match.source_ports else None


_CRITERIA = (
    _Criterion(
        "destination port",
        _port,
        lambda m: str(m.destination_port.value) if m.HasField("destination_port") else "",
        lambda s: str(s.call.port),
    ),
    _Criterion(
        "destination address",
        lambda m, s: _prefix(m.prefix_ranges, s.call.address),
        lambda m: _ranges(m.prefix_ranges),
        lambda s: s.call.address,
    ),
    _Criterion("server name", _server_name, lambda m: ", ".join(m.server_names), lambda s: s.detected.server_name),
    _Criterion("transport protocol", _transport, lambda m: m.transport_protocol, lambda s: s.detected.transport),
    _Criterion(
        "application protocol",
        _application,
        lambda m: ", ".join(m.application_protocols),
        lambda s: ", ".join(s.detected.protocols),
    ),
    _Criterion(
        "directly connected address",
        _direct_source,
        lambda m: _ranges(m.direct_source_prefix_ranges),
        lambda s: s.call.source,
    ),
    _Criterion(
        "sort of source",
        _source_type,
        lambda m: "" if m.source_type == Match.ANY else Match.ConnectionSourceType.Name(m.source_type),
        lambda s: "a local one" if _is_local(s.call) else "an external one",
    ),
    _Criterion("source address", _source, lambda m: _ranges(m.source_prefix_ranges), lambda s: s.call.source),
    _Criterion(
        "source port",
        _source_port,
        lambda m: ", ".join(map(str, m.source_ports)),
        lambda s: str(s.call.source_port),
    ),
)
