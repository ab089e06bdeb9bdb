"""Route configurations of a sidecar: one per shared HTTP port, one per sniffed service port (rows OL-01, OL-04)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from envoy.config.route.v3 import route_components_pb2, route_pb2

from mizzen.model.resources import ROUTE, Resource
from mizzen.model.service import Port, Service
from mizzen.translate import egress, virtual_hosts
from mizzen.translate.catalog import Catalog
from mizzen.translate.egress import Part
from mizzen.translate.messages import resource

_BODY_LIMIT = 1_048_576
"""A direct response may be 1 MiB; Envoy's own limit is 4 KiB (row VS-32)."""


def outbound(catalog: Catalog) -> Iterator[Resource]:
    """Exactly the configurations that the outbound listeners ask for."""
    shared: dict[str, _Shared] = {}
    sniffed: dict[str, None] = {}
    for part, service, port, binding in egress.bound(catalog):
        name = binding.route
        if name == (part.route if part.fixed else str(port.number)):
            held = shared.setdefault(name, _Shared(part))
            if held.part is part:
                held.add(service, port)
        elif name and name not in sniffed:
            sniffed[name] = None
            yield _resource(name, [virtual_hosts.of_one(part.catalog, service, port)])
    for name in sorted(shared, key=lambda n: (not n.isdigit(), int(n) if n.isdigit() else 0, n)):
        yield shared[name].resource(name)


@dataclass
class _Shared:
    """The routes of one listener's HTTP side. Of two fixed listeners on one port the first gives them."""

    part: Part
    served: list[tuple[Service, Port]] = field(default_factory=list)

    def add(self, service: Service, port: Port) -> None:
        """Bindings of one port come one after the other, and each of them leads here."""
        if not self.served or self.served[-1][0] is not service or self.served[-1][1] is not port:
            self.served.append((service, port))

    def resource(self, name: str) -> Resource:
        catalog = self.part.catalog
        numbers = {port.number for _, port in self.served}
        if self.part.fixed and numbers != {int(name) if name.isdigit() else 0}:
            made = configuration(name, virtual_hosts.of_ports(catalog, self.served))
            made.ignore_port_in_host_matching = False
            return resource(ROUTE, name, made)
        return _resource(name, virtual_hosts.of_port(catalog, int(name), self.served))


def configuration(name: str, hosts: Iterable[route_components_pb2.VirtualHost]) -> route_pb2.RouteConfiguration:
    """The options that every route configuration has (section 2.6)."""
    config = route_pb2.RouteConfiguration(name=name, virtual_hosts=hosts, ignore_port_in_host_matching=True)
    config.validate_clusters.value = False
    config.max_direct_response_body_size_bytes.value = _BODY_LIMIT
    return config


def _resource(name: str, hosts: Iterable[route_components_pb2.VirtualHost]) -> Resource:
    return resource(ROUTE, name, configuration(name, hosts))
