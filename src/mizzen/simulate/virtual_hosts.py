"""Which virtual host of a route configuration takes a request.

Envoy compares the Host header in lower case: exact domains first, then ``*suffix`` from the longest, then ``prefix*``
from the longest, then ``*`` (Envoy, field ``VirtualHost.domains``). A wildcard stands for at least one character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envoy.config.route.v3 import route_components_pb2, route_pb2

from mizzen.simulate.outcome import Candidate, Stage, Step

_SHOWN = 20
"""How many of the hosts passed over are told: a busy port has thousands."""


def choose(config: route_pb2.RouteConfiguration, host: str) -> tuple[route_components_pb2.VirtualHost | None, Step]:
    """The virtual host for the Host header ``host``, and why that one."""
    name = _without_port(host.lower()) if config.ignore_port_in_host_matching else host.lower()
    ranked = [(rank, entry, domain) for entry, domain in _domains(config) if (rank := _rank(domain.lower(), name))]
    best = max(ranked, key=lambda item: item[0], default=None)
    if best is None:
        others = [Candidate(v.name, f"its domains are {_shown(v.domains)}") for v in config.virtual_hosts]
        return None, Step(Stage.VIRTUAL_HOST, "", f"no domain fits {name or 'a request without Host'}", _few(others))
    _, chosen, domain = best
    others = [
        Candidate(entry.name, f"{other} fits too, but {domain} is closer")
        for _, entry, other in ranked
        if entry is not chosen
    ]
    return chosen, Step(Stage.VIRTUAL_HOST, chosen.name, f"Host {name} fits its domain {domain}", _few(others))


def _domains(config: route_pb2.RouteConfiguration) -> Iterator[tuple[route_components_pb2.VirtualHost, str]]:
    for entry in config.virtual_hosts:
        for domain in entry.domains:
            yield entry, domain


def _rank(domain: str, name: str) -> tuple[int, int] | None:
    """How close a domain that fits is; None when it does not fit."""
    if domain == "*":
        return (1, 0)
    if domain == name:
        return (4, len(domain))
    if len(name) < len(domain):
        return None
    if domain.startswith("*") and name.endswith(domain[1:]):
        return (3, len(domain))
    if domain.endswith("*") and name.startswith(domain[:-1]):
        return (2, len(domain))
    return None


def _without_port(host: str) -> str:
    """``host`` without a port; an IPv6 address in brackets keeps its colons."""
    head, _, port = host.rpartition(":")
    return head if head and port.isdecimal() and not (":" in head and not head.endswith("]")) else host


def _shown(domains: Iterable[str]) -> str:
    listed = list(domains)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def _few(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    if len(candidates) <= _SHOWN:
        return tuple(candidates)
    return (*candidates[:_SHOWN], Candidate("", f"{len(candidates) - _SHOWN} more do not fit either"))
