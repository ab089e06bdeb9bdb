"""Which listener takes a connection.

A captured connection is accepted by the listener on the capture port. With ``use_original_dst`` it is handed to the
listener of the address that was meant, else to the wildcard listener of that port, else it stays (Envoy, field
``Listener.use_original_dst``). Without, it stays and only filter chains look at the original port: that is
``virtualInbound``, which learns it from the listener filter ``original_dst`` (rows PO-02, PO-03, OL-07).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from envoy.config.core.v3 import address_pb2, base_pb2
from envoy.config.listener.v3 import listener_pb2

from mizzen.simulate.call import Call, Entry
from mizzen.simulate.outcome import Candidate, Stage, Step

_ORIGINAL_DST = "envoy.filters.listener.original_dst"


def choose(listeners: Iterable[listener_pb2.Listener], call: Call) -> tuple[listener_pb2.Listener | None, Step]:
    """The listener for ``call``, and why that one."""
    tcp = [listener for listener in listeners if not _is_udp(listener)]
    if call.entry is Entry.DIRECT:
        return _dialled([listener for listener in tcp if _bound(listener)], call)
    accepting = next((listener for listener in tcp if _captures(listener, call.entry)), None)
    if accepting is None:
        return None, Step(Stage.LISTENER, "", f"the proxy has no listener for captured {call.entry} connections")
    if not accepting.use_original_dst.value:
        return accepting, Step(Stage.LISTENER, accepting.name, f"captured {call.entry} connections stay with it")
    found, how = _by_address([listener for listener in tcp if listener is not accepting], call)
    others = _others(tcp, call, found)
    if found is None:
        why = f"nothing listens at {_shown(call)}, nor on port {call.port} of every address"
        return accepting, Step(Stage.LISTENER, accepting.name, why, others)
    return found, Step(Stage.LISTENER, found.name, f"{accepting.name} hands over: {how}", others)


def _dialled(listeners: list[listener_pb2.Listener], call: Call) -> tuple[listener_pb2.Listener | None, Step]:
    found, how = _by_address(listeners, call)
    others = _others(listeners, call, found)
    if found is None:
        return None, Step(Stage.LISTENER, "", f"the proxy does not listen on port {call.port}", others)
    return found, Step(Stage.LISTENER, found.name, how, others)


def _by_address(listeners: list[listener_pb2.Listener], call: Call) -> tuple[listener_pb2.Listener | None, str]:
    meant = ipaddress.ip_address(call.address)
    wildcard = ipaddress.ip_address("::" if meant.version == 6 else "0.0.0.0")  # noqa: S104 - as Envoy calls it
    for address, how in (
        (meant, f"it listens at {_shown(call)}"),
        (wildcard, f"it listens on port {call.port} of every address"),
    ):
        for listener in listeners:
            if (address, call.port) in _addresses(listener):
                return listener, how
    return None, ""


def _addresses(
    listener: listener_pb2.Listener,
) -> Iterable[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    found: list[address_pb2.Address] = [listener.address, *(a.address for a in listener.additional_addresses)]
    for address in found:
        if address.HasField("socket_address"):
            yield ipaddress.ip_address(address.socket_address.address), address.socket_address.port_value


def _others(
    listeners: list[listener_pb2.Listener], call: Call, chosen: listener_pb2.Listener | None
) -> tuple[Candidate, ...]:
    """Those on the same port: the rest could never have been meant."""
    found = []
    for listener in listeners:
        places = [address for address, port in _addresses(listener) if port == call.port]
        if places and listener is not chosen:
            shown = ", ".join(map(str, places))
            only = "of every address" if any(a.is_unspecified for a in places) else f"at {shown}"
            beaten = " and the exact address goes first" if any(a.is_unspecified for a in places) and chosen else ""
            found.append(Candidate(listener.name, f"it listens {only}{beaten}"))
    return tuple(found)


def _captures(listener: listener_pb2.Listener, entry: Entry) -> bool:
    if not _bound(listener):
        return False
    inbound = listener.traffic_direction == base_pb2.INBOUND
    if inbound != (entry is Entry.INBOUND):
        return False
    return listener.use_original_dst.value or any(f.name == _ORIGINAL_DST for f in listener.listener_filters)


def _bound(listener: listener_pb2.Listener) -> bool:
    return not listener.HasField("bind_to_port") or listener.bind_to_port.value


def _is_udp(listener: listener_pb2.Listener) -> bool:
    return bool(listener.address.socket_address.protocol == address_pb2.SocketAddress.UDP)


def _shown(call: Call) -> str:
    return f"[{call.address}]:{call.port}" if ":" in call.address else f"{call.address}:{call.port}"
