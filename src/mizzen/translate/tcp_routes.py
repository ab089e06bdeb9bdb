"""TCP and TLS chains of a service port, with the ``tcp`` and ``tls`` routes of VirtualServices (rows VS-04, VS-05, VS-53 to VS-58)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from envoy.config.core.v3 import address_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components

from mizzen.api.meta import Duration, Object
from mizzen.api.virtual_service import L4MatchAttributes, RouteDestination, TLSMatchAttributes
from mizzen.model.service import Port, Service
from mizzen.translate import names, tcp
from mizzen.translate.binding import Binding
from mizzen.translate.catalog import Catalog
from mizzen.translate.filters import Direction

MESH = frozenset({"mesh"})
_Chain = components.FilterChain


def chains(catalog: Catalog, service: Service, port: Port, binding: Binding) -> Iterator[components.FilterChain]:
    """The chains of one binding: those of its VirtualService's routes, else the one to the service's own cluster."""
    found = False
    make = _tls_chains if port.protocol.is_tls else _tcp_chains
    for obj in catalog.virtual_services(service.hostname):
        for chain in make(catalog, obj, port, binding):
            found = True
            yield chain
        if found:
            return
    cluster = names.cluster(port.number, "", service.hostname)
    yield _chain(catalog, binding.server_names, binding.ranges, cluster, [(cluster, 1)], idle_timeout(catalog, service))


def applies(
    match: L4MatchAttributes | TLSMatchAttributes, obj: Object, catalog: Catalog, port: int, gateways: frozenset[str]
) -> bool:
    """What is known before a connection comes; here all conditions count together (row VS-23)."""
    if match.port and match.port != port:
        return False
    if match.gateways and not gateways & set(match.gateways) & set(obj.body.gateways):
        return False
    scope = catalog.scope
    if match.source_namespace and match.source_namespace != scope.namespace:
        return False
    return match.source_labels.items() <= scope.labels.items()


def weighted(catalog: Catalog, routes: Iterable[RouteDestination], port: int) -> list[tuple[str, int]]:
    """Clusters and weights; of several destinations those of weight 0 are left out (row VS-57)."""
    listed = [r for r in routes if r.destination is not None]
    if len(listed) > 1:
        listed = [r for r in listed if r.weight > 0]
    return [(catalog.cluster(r.destination, port), r.weight or 1) for r in listed if r.destination is not None]


def stat_prefix(obj: Object, clusters: list[tuple[str, int]]) -> str:
    """Row VS-58: the cluster's name, or the VirtualService's when there are several."""
    return clusters[0][0] if len(clusters) == 1 else f"{obj.name}.{obj.namespace}"


def idle_timeout(catalog: Catalog, service: Service | None) -> Duration | None:
    """From the top level of the rule of the first destination (row VS-58)."""
    rule = catalog.rule(service) if service else None
    policy = rule.traffic_policy if rule else None
    pool = policy.connection_pool if policy else None
    return pool.tcp.idle_timeout if pool and pool.tcp else None


def _tcp_chains(catalog: Catalog, obj: Object, port: Port, binding: Binding) -> Iterator[components.FilterChain]:
    for route in obj.body.tcp:
        fitting = [m for m in route.match if applies(m, obj, catalog, port.number, MESH)]
        if route.match and not fitting:
            continue
        clusters = weighted(catalog, route.route, port.number)
        if not clusters:
            continue
        subnets = tuple(subnet for m in fitting for subnet in m.destination_subnets)
        everything = not fitting or any(not m.destination_subnets for m in fitting)
        yield _routed(catalog, obj, (), binding.ranges if everything else subnets, clusters, route.route)
        if everything:
            return


def _tls_chains(catalog: Catalog, obj: Object, port: Port, binding: Binding) -> Iterator[components.FilterChain]:
    for route in obj.body.tls:
        for match in route.match:
            clusters = weighted(catalog, route.route, port.number)
            if clusters and applies(match, obj, catalog, port.number, MESH):
                yield _routed(
                    catalog, obj, match.sni_hosts, match.destination_subnets or binding.ranges, clusters, route.route
                )


def _routed(
    catalog: Catalog,
    obj: Object,
    sni: Iterable[str],
    ranges: Iterable[str],
    clusters: list[tuple[str, int]],
    routes: Iterable[RouteDestination],
) -> components.FilterChain:
    first = next((r.destination for r in routes if r.destination is not None), None)
    service = catalog.service(first.host) if first else None
    return _chain(catalog, sni, ranges, stat_prefix(obj, clusters), clusters, idle_timeout(catalog, service))


def _chain(
    catalog: Catalog,
    sni: Iterable[str],
    ranges: Iterable[str],
    prefix: str,
    clusters: list[tuple[str, int]],
    idle: Duration | None,
) -> components.FilterChain:
    chain = _Chain()
    for name in sni:
        if name != "*":
            chain.filter_chain_match.server_names.append(name)
    for text in ranges:
        network = ipaddress.ip_network(text, strict=False)
        entry = address_pb2.CidrRange(address_prefix=str(network.network_address))
        entry.prefix_len.value = network.prefixlen
        chain.filter_chain_match.prefix_ranges.append(entry)
    chain.filters.extend(
        tcp.filters(
            direction=Direction.OUTBOUND,
            stat_prefix=prefix,
            mesh=catalog.scope.mesh,
            clusters=clusters,
            idle_timeout=idle,
        )
    )
    return chain
