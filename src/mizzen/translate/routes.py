"""Route configurations of a sidecar: one per shared HTTP port, one per sniffed service port (rows OL-01, OL-04)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envoy.config.route.v3 import route_components_pb2, route_pb2

from mizzen.model.resources import ROUTE, Resource
from mizzen.model.service import Port, Service
from mizzen.translate import virtual_hosts
from mizzen.translate.binding import bindings
from mizzen.translate.catalog import Catalog
from mizzen.translate.messages import resource

_BODY_LIMIT = 1_048_576
"""A direct response may be 1 MiB; Envoy's own limit is 4 KiB (row VS-32)."""


def outbound(catalog: Catalog) -> Iterator[Resource]:
    """Exactly the configurations that the outbound listeners ask for."""
    shared: dict[int, list[tuple[Service, Port]]] = {}
    for service, port in catalog.service_ports():
        names = {binding.route for binding in bindings(catalog, service, port)} - {""}
        if str(port.number) in names:
            shared.setdefault(port.number, []).append((service, port))
        for name in names - {str(port.number)}:
            yield _resource(name, [virtual_hosts.of_one(catalog, service, port)])
    for number in sorted(shared):
        yield _resource(str(number), virtual_hosts.of_port(catalog, number, shared[number]))


def configuration(name: str, hosts: Iterable[route_components_pb2.VirtualHost]) -> route_pb2.RouteConfiguration:
    """The options that every route configuration has (section 2.6)."""
    config = route_pb2.RouteConfiguration(name=name, virtual_hosts=hosts, ignore_port_in_host_matching=True)
    config.validate_clusters.value = False
    config.max_direct_response_body_size_bytes.value = _BODY_LIMIT
    return config


def _resource(name: str, hosts: Iterable[route_components_pb2.VirtualHost]) -> Resource:
    return resource(ROUTE, name, configuration(name, hosts))
