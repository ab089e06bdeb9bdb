"""The listeners that a Sidecar asks for one by one, each with a view of its own (row SC-04)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Service
from mizzen.model.view import EgressListener
from mizzen.translate.binding import Binding, Kind, bindings
from mizzen.translate.catalog import Catalog

LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Part:
    """What one listener sees. ``entry`` is None where no Sidecar asks for listeners: then there is one part, of all."""

    catalog: Catalog
    entry: EgressListener | None = None

    @property
    def fixed(self) -> bool:
        """Whether the Sidecar says where to listen."""
        return self.entry is not None and not self.entry.catch_all

    @property
    def socket(self) -> bool:
        """Whether the listener opens a socket of its own."""
        return self.entry is not None and self.entry.socket

    @property
    def route(self) -> str:
        """The name of a fixed listener's routes: its port, or its unix path."""
        if self.entry is None:
            return ""
        return str(self.entry.port) if self.entry.port else self.entry.bind

    def bindings(self, service: Service, port: Port) -> Iterator[Binding]:
        """Where a port that this part sees is reached, and as what."""
        entry = self.entry
        if entry is None or entry.catch_all or not (entry.bind or entry.socket):
            yield from bindings(self.catalog, service, port)
            return
        kind = _kind(entry.protocol)
        if kind is Kind.HTTP and not port.protocol.is_http:
            return
        sni = (service.hostname,) if kind is Kind.TCP and port.protocol.is_tls else ()
        yield Binding(
            entry.bind or LOCAL, entry.port, kind, self.route if kind is not Kind.TCP else "", server_names=sni
        )


def parts(catalog: Catalog) -> list[Part]:
    """The fixed listeners in the Sidecar's order, then the rest."""
    scope = catalog.scope
    if not scope.egress:
        return [Part(catalog)]
    found = []
    for entry in scope.egress:
        own = replace(scope, services=entry.services, virtual_services=entry.virtual_services, egress=())
        found.append(Part(Catalog(own), entry))
    return sorted(found, key=lambda part: not part.fixed)


def bound(catalog: Catalog) -> Iterator[tuple[Part, Service, Port, Binding]]:
    """Every binding of every part; what a fixed listener has taken, a later part adds nothing to."""
    taken: set[str] = set()
    for part in parts(catalog):
        own: set[str] = set()
        for service, port in part.catalog.service_ports():
            for binding in part.bindings(service, port):
                if binding.name not in taken:
                    own.add(binding.name)
                    yield part, service, port, binding
        taken |= own if part.fixed else set()


def _kind(protocol: Protocol) -> Kind:
    if protocol.is_http:
        return Kind.HTTP
    return Kind.SNIFFED if protocol is Protocol.UNSUPPORTED else Kind.TCP
