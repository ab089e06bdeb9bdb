"""TCP and TLS chains of a service port, with the ``tcp`` and ``tls`` routes of VirtualServices (rows VS-04, VS-05, VS-53 to VS-58)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from envoy.config.core.v3 import address_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components

from mizzen.api.destination_rule import TCPSettings, TrafficPolicy, TunnelSettings
from mizzen.api.meta import Object
from mizzen.api.virtual_service import L4MatchAttributes, RouteDestination, TLSMatchAttributes
from mizzen.model.service import Port, Resolution, Service
from mizzen.model.view import Policies
from mizzen.translate import dynamic_dns, extensions, names, tcp
from mizzen.translate.binding import Binding
from mizzen.translate.catalog import Catalog
from mizzen.translate.filters import Direction
from mizzen.translate.tcp import NO_POLICIES

MESH = frozenset({"mesh"})


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
    yield _chain(catalog, service_leg(catalog, service, port), port, binding.server_names, binding.ranges)


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


@dataclass(frozen=True)
class Leg:
    """Where a TCP chain leads: clusters with weights, and what the first destination's rule says of the connection."""

    prefix: str
    clusters: tuple[tuple[str, int], ...]
    tcp: TCPSettings
    tunnel: TunnelSettings | None = None
    source_ip_hash: bool = False
    dynamic: tuple[str, int] | None = None
    """A wildcard host whose names are resolved by the SNI, and the port to go on to (row SE-09)."""

    def filters(
        self, catalog: Catalog, direction: Direction, port: int, policies: Policies = NO_POLICIES
    ) -> list[components.Filter]:
        """``port`` is that of the service, or of the gateway's server."""
        resolving = [dynamic_dns.sni_filter(*self.dynamic, catalog.scope.mesh)] if self.dynamic else []
        found = tcp.filters(
            direction=direction,
            stat_prefix=self.prefix,
            mesh=catalog.scope.mesh,
            conduct=catalog.scope.conduct,
            clusters=self.clusters,
            policies=policies,
            idle_timeout=self.tcp.idle_timeout,
            longest=self.tcp.max_connection_duration,
            source_ip_hash=self.source_ip_hash,
            tunnel=self.tunnel,
            plugins=extensions.on(catalog.scope.extensions, direction, port),
        )
        return [*found[:-1], *resolving, *found[-1:]]


def leg(catalog: Catalog, obj: Object, routes: Iterable[RouteDestination], port: int) -> Leg | None:
    """Clusters and weights of one route; of several destinations those of weight 0 are left out (rows VS-57, VS-58)."""
    listed = [(r.destination, r.weight) for r in routes if r.destination is not None]
    kept = [(d, w) for d, w in listed if w > 0] if len(listed) > 1 else listed
    if not kept:
        return None
    clusters = tuple((catalog.cluster(d, port), w or 1) for d, w in kept)
    prefix = clusters[0][0] if len(clusters) == 1 else f"{obj.name}.{obj.namespace}"
    first = listed[0][0]
    subset = first.subset if len(listed) == 1 else ""
    return _leg(catalog, prefix, clusters, catalog.service(first.host), subset, catalog.port_of(first, port))


def service_leg(catalog: Catalog, service: Service, port: Port) -> Leg:
    """Straight to the service's own cluster."""
    cluster = names.cluster(port.number, "", service.hostname)
    return _leg(catalog, cluster, ((cluster, 1),), service, "", port.number)


def _leg(
    catalog: Catalog,
    prefix: str,
    clusters: tuple[tuple[str, int], ...],
    service: Service | None,
    subset: str,
    number: int,
) -> Leg:
    """Pool settings are the top level's; tunnel and hash are the subset's where one is named (rows DR-13, DR-53, VS-58)."""
    rule = catalog.rule(service) if service else None
    top = (rule.traffic_policy if rule else None) or TrafficPolicy()
    named = next((s.traffic_policy for s in rule.subsets if s.name == subset), None) if rule and subset else None
    balancer = (named.load_balancer if named else None) or top.load_balancer
    hashed = balancer.consistent_hash if balancer else None
    pool = top.connection_pool
    tunnel_of = (named or TrafficPolicy()) if subset else top
    return Leg(
        prefix,
        clusters,
        (pool.tcp if pool else None) or TCPSettings(),
        tunnel_of.tunnel if tunnel_of.proxy_protocol is None else None,
        hashed is not None and bool(hashed.use_source_ip),
        _dynamic(service, number),
    )


def _dynamic(service: Service | None, number: int) -> tuple[str, int] | None:
    port = service.port(number) if service is not None and service.resolution is Resolution.DYNAMIC_DNS else None
    return (service.hostname, port.target or number) if service is not None and port is not None else None


def _tcp_chains(catalog: Catalog, obj: Object, port: Port, binding: Binding) -> Iterator[components.FilterChain]:
    for route in obj.body.tcp:
        fitting = [m for m in route.match if applies(m, obj, catalog, port.number, MESH)]
        if route.match and not fitting:
            continue
        found = leg(catalog, obj, route.route, port.number)
        if found is None:
            continue
        subnets = tuple(subnet for m in fitting for subnet in m.destination_subnets)
        everything = not fitting or any(not m.destination_subnets for m in fitting)
        yield _from(obj, _chain(catalog, found, port, (), binding.ranges if everything else subnets))
        if everything:
            return


def _tls_chains(catalog: Catalog, obj: Object, port: Port, binding: Binding) -> Iterator[components.FilterChain]:
    for route in obj.body.tls:
        for match in route.match:
            found = leg(catalog, obj, route.route, port.number)
            if found is not None and applies(match, obj, catalog, port.number, MESH):
                yield _from(
                    obj, _chain(catalog, found, port, match.sni_hosts, match.destination_subnets or binding.ranges)
                )


def _from(obj: Object, chain: components.FilterChain) -> components.FilterChain:
    """``chain`` with the VirtualService that it came from (row XD-23)."""
    path = f"/apis/networking.istio.io/v1/namespaces/{obj.namespace}/virtual-service/{obj.name}"
    chain.metadata.filter_metadata["istio"].update({"config": path})
    return chain


def _chain(
    catalog: Catalog, found: Leg, port: Port, sni: Iterable[str], ranges: Iterable[str]
) -> components.FilterChain:
    chain = components.FilterChain(filters=found.filters(catalog, Direction.OUTBOUND, port.number))
    for name in sni:
        if name != "*":
            chain.filter_chain_match.server_names.append(name.lower())
    for text in ranges:
        network = ipaddress.ip_network(text, strict=False)
        entry = address_pb2.CidrRange(address_prefix=str(network.network_address))
        entry.prefix_len.value = network.prefixlen
        chain.filter_chain_match.prefix_ranges.append(entry)
    return chain
