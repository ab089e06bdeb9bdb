"""Where a service port listens on the client's side, and as what (rows OL-01, OL-03, OL-04, OL-09, SE-02, SE-17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Resolution, Service
from mizzen.translate import names
from mizzen.translate.catalog import Catalog

_RESERVED = frozenset({15001, 15006, 15021, 15090})


LOOPBACK = "127.0.0.1"
_LOWEST_FREE = 1024


class Kind(Enum):
    HTTP = "HTTP"
    TCP = "TCP"
    SNIFFED = "SNIFFED"
    """Undeclared: HTTP when the inspector sees HTTP, else bytes (row PR-03)."""


@dataclass(frozen=True)
class Binding:
    """One address on which a service port is reached; a unix path has no port. ``route`` is the RDS name of its HTTP side.

    ``ranges`` and ``server_names`` narrow the TCP chain of a listener that several services share.
    """

    address: str
    port: int
    kind: Kind
    route: str = ""
    ranges: tuple[str, ...] = ()
    server_names: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    """Further addresses of the same listener."""

    @property
    def name(self) -> str:
        return f"{self.address}_{self.port}" if self.port else self.address


def bindings(catalog: Catalog, service: Service, port: Port) -> Iterator[Binding]:
    """The bindings of one port; none for a headless service without endpoints, nor on the sidecar's own ports (PO-03)."""
    if catalog.scope.interception == "NONE":
        return _local(catalog, port)
    return (b for b in _bindings(catalog, service, port) if b.address != names.WILDCARD or b.port not in _RESERVED)


def _local(catalog: Catalog, port: Port) -> Iterator[Binding]:
    """Without capture: a socket on loopback per port, which the app must dial itself. One proxy of TCP services on one
    port leads to the oldest. Low ports need rights that the proxy may lack (row TC-08)."""
    low = port.number < _LOWEST_FREE and catalog.scope.flags.get("UNPRIVILEGED_POD", "").lower() == "true"
    if low or port.number in _RESERVED:
        return
    kind = Kind.HTTP if port.protocol.is_http else Kind.SNIFFED if port.protocol is Protocol.UNSUPPORTED else Kind.TCP
    yield Binding(LOOPBACK, port.number, kind, "" if kind is Kind.TCP else str(port.number))


def _bindings(catalog: Catalog, service: Service, port: Port) -> Iterator[Binding]:
    if port.protocol.is_http:
        yield Binding(names.WILDCARD, port.number, Kind.HTTP, str(port.number))
        return
    kind = Kind.SNIFFED if port.protocol is Protocol.UNSUPPORTED else Kind.TCP
    own = f"{service.hostname}:{port.number}" if kind is Kind.SNIFFED else ""
    if service.headless:
        # One listener per pod. The client's own address is not left out: capture keeps that traffic off it.
        for address in dict.fromkeys(e.address for e in catalog.dialled(service, port)):
            yield Binding(address, port.number, kind, own)
        return
    addresses = _addresses(catalog, service)
    if service.from_kubernetes and len(addresses) > 1:
        # One Service of both families is one listener, named after its first address (row OL-24).
        yield Binding(addresses[0], port.number, kind, own, more=tuple(addresses[1:]))
    else:
        yield from (Binding(address, port.number, kind, own) for address in addresses)
    ranges = tuple(a for a in catalog.written(service) if "/" in a)
    if ranges or not addresses:
        sni = tuple(dict.fromkeys((service.hostname, *catalog.aliases(service)))) if port.protocol.is_tls else ()
        yield Binding(names.WILDCARD, port.number, kind, str(port.number) if own else "", ranges, sni)


def _addresses(catalog: Catalog, service: Service) -> list[str]:
    """Single addresses: a CIDR range cannot be bound."""
    return [] if service.resolution is Resolution.ALIAS else [a for a in catalog.addresses(service) if "/" not in a]
