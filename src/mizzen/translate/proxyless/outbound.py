"""What a gRPC client asks for by its target: a listener per name and port, and the route configuration behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.model.resources import LISTENER, ROUTE, Resource
from mizzen.model.service import Port, Service
from mizzen.translate import filters, names
from mizzen.translate.catalog import Catalog
from mizzen.translate.http import fault
from mizzen.translate.http.routes import Place
from mizzen.translate.messages import any_of, resource
from mizzen.translate.virtual_hosts import MESH, service_host


def resources(catalog: Catalog) -> Iterator[Resource]:
    """For each service port, a listener under every name that a client of this namespace may use, and one route table.

    Two services may have one short name in no namespace, so a name belongs to the first that claims it.
    """
    taken: set[str] = set()
    for service, port in catalog.service_ports():
        host = service_host(catalog, service, port, Place(catalog, port.number, MESH))
        known = [domain for domain in host.domains if not domain.endswith(".") and not domain.startswith("*")]
        mine = [name for name in (f"{domain}:{port.number}" for domain in known) if name not in taken]
        taken.update(mine)
        table = names.cluster(port.number, "", service.hostname)
        yield from (resource(LISTENER, name, _listener(name, table)) for name in mine)
        yield resource(ROUTE, table, _table(table, service, port, [*known, *mine], host.routes))


def destinations(made: Iterable[Resource]) -> set[str]:
    """The clusters that the route tables among ``made`` lead to."""
    tables = (route_pb2.RouteConfiguration.FromString(r.body) for r in made if r.type_url == ROUTE)
    actions = [route.route for table in tables for host in table.virtual_hosts for route in host.routes]
    single = {action.cluster for action in actions if action.cluster}
    return single | {cluster.name for action in actions for cluster in action.weighted_clusters.clusters}


def _listener(name: str, table: str) -> listener_pb2.Listener:
    manager = hcm_pb2.HttpConnectionManager(http_filters=[filters.fault(), filters.router()])
    manager.rds.route_config_name = table
    manager.rds.config_source.ads.SetInParent()
    message = listener_pb2.Listener(name=name)
    message.api_listener.api_listener.CopyFrom(any_of(manager))
    return message


def _table(
    name: str, service: Service, port: Port, domains: list[str], routes: list[route_components_pb2.Route]
) -> route_pb2.RouteConfiguration:
    """gRPC compares domains with the whole target, port included, and leaves no port out: both forms are listed."""
    host = route_components_pb2.VirtualHost(name=f"{service.hostname}:{port.number}", domains=dict.fromkeys(domains))
    host.routes.extend(_readable(route) for route in routes if _can_match(route.match))
    return route_pb2.RouteConfiguration(name=name, virtual_hosts=[host])


def _can_match(match: route_components_pb2.RouteMatch) -> bool:
    """A call of gRPC has no query, and no claims of a token that a filter before has verified (row VS-19)."""
    return not match.query_parameters and not match.dynamic_metadata


def _readable(route: route_components_pb2.Route) -> route_components_pb2.Route:
    """``route`` without what gRPC refuses; a timeout becomes the one that it honours, the stream's longest time."""
    message = route_components_pb2.Route()
    message.CopyFrom(route)
    for name in list(message.typed_per_filter_config):
        if name != fault.FILTER:
            del message.typed_per_filter_config[name]
    if message.HasField("route"):
        timeout = message.route.timeout
        if timeout.seconds or timeout.nanos:
            message.route.max_stream_duration.max_stream_duration.CopyFrom(timeout)
    return message
