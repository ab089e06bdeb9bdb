"""Listeners and routes of a gateway (rows GW-01, GW-02, GW-06, GW-10 to GW-14, GW-16, GW-25, GW-27, VS-07)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2

from mizzen.api.gateway import Server
from mizzen.api.meta import Object
from mizzen.model.hosts import overlap
from mizzen.model.resources import LISTENER, ROUTE, Resource
from mizzen.translate import access_log, hcm, names, tcp, tcp_routes
from mizzen.translate.catalog import Catalog
from mizzen.translate.filters import Direction
from mizzen.translate.gateway_tls import downstream_socket
from mizzen.translate.http.routes import Place, routes
from mizzen.translate.messages import any_of, resource
from mizzen.translate.outbound import socket_address
from mizzen.translate.routes import configuration
from mizzen.translate.scalars import seconds

_HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})
_PASSTHROUGH = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})
_CONNECT_TIMEOUT = 15.0


@dataclass(frozen=True)
class _Bound:
    """A server of a Gateway: ``number`` as written, ``port`` where it listens after port translation (row GW-02)."""

    gateway: Object
    server: Server
    number: int
    port: int

    @property
    def protocol(self) -> str:
        return self.server.port.protocol.upper() if self.server.port else ""

    @property
    def owner(self) -> str:
        return f"{self.gateway.namespace}/{self.gateway.name}"

    @property
    def is_http(self) -> bool:
        return self.protocol in _HTTP

    @property
    def terminates(self) -> bool:
        tls = self.server.tls
        return not self.is_http and tls is not None and tls.mode not in _PASSTHROUGH

    @property
    def hosts(self) -> list[tuple[str, str]]:
        """(namespace or ``*``, host) of each entry (row GW-06)."""
        found = []
        for written in self.server.hosts:
            where, _, host = written.rpartition("/")
            found.append((self.gateway.namespace if where == "." else where or "*", host))
        return found

    @property
    def route_name(self) -> str:
        """Row GW-04."""
        suffix = f".{self.server.bind}" if self.server.bind else ""
        if self.is_http:
            return f"http.{self.port}{suffix}"
        name = self.server.port.name if self.server.port else ""
        return f"https.{self.number}.{name}.{self.gateway.name}.{self.gateway.namespace}{suffix}"


def resources(catalog: Catalog) -> Iterator[Resource]:
    """One listener per bind and port that has a chain, and the route configurations of its HTTP servers."""
    ports: dict[tuple[str, int], list[_Bound]] = {}
    for bound in _servers(catalog):
        ports.setdefault((bound.server.bind or names.WILDCARD, bound.port), []).append(bound)
    configurations: list[Resource] = []
    for (bind, port), servers in sorted(ports.items()):
        chains = list(_chains(catalog, bind, port, servers, configurations))
        if chains:
            listener = _listener(catalog, bind, port, chains)
            yield resource(LISTENER, listener.name, listener)
    yield from configurations


def _servers(catalog: Catalog) -> Iterator[_Bound]:
    scope = catalog.scope
    for gateway in scope.gateways:
        for server in gateway.body.servers:
            if server.port is not None:
                number = server.port.number
                yield _Bound(gateway, server, number, scope.gateway_ports.get(number, number))


def _chains(
    catalog: Catalog, bind: str, port: int, servers: list[_Bound], configurations: list[Resource]
) -> Iterator[components.FilterChain]:
    """Plain HTTP servers share a chain; every TLS server has its own. The older of two that collide stays (row GW-25)."""
    kind = servers[0].is_http
    taken: set[str] = set()
    plain = [s for s in servers if s.is_http]
    for bound in servers:
        if bound.is_http:
            continue
        hosts = {host for _, host in bound.hosts}
        if kind or hosts & taken:
            continue
        taken |= hosts
        if bound.protocol == "HTTPS" and bound.terminates:
            yield _https_chain(catalog, bind, port, bound, configurations)
        else:
            yield from _tcp_chains(catalog, bound)
    if plain:
        name = plain[0].route_name
        configurations.append(resource(ROUTE, name, configuration(name, _virtual_hosts(catalog, plain))))
        yield components.FilterChain(filters=[_manager(catalog, f"outbound_{bind}_{port};", name)])


def _https_chain(
    catalog: Catalog, bind: str, port: int, bound: _Bound, configurations: list[Resource]
) -> components.FilterChain:
    name = bound.route_name
    configurations.append(resource(ROUTE, name, configuration(name, _virtual_hosts(catalog, [bound]))))
    chain = components.FilterChain(filters=[_manager(catalog, bound.server.name or f"outbound_{bind}_{port};", name)])
    _secure(catalog, chain, bound, ("h2", "http/1.1"))
    return chain


def _tcp_chains(catalog: Catalog, bound: _Bound) -> Iterator[components.FilterChain]:
    """TLS passthrough takes ``tls`` routes by SNI, plain or terminated bytes the first fitting ``tcp`` route (VS-54 to VS-56)."""
    gateways = frozenset({bound.owner})
    taken: set[str] = set()
    for obj, _ in _attached(catalog, bound):
        if bound.protocol in ("TLS", "HTTPS") and not bound.terminates:
            yield from _sni_chains(catalog, obj, bound, taken)
            continue
        for rule in obj.body.tcp:
            fits = not rule.match or any(_on_gateway(m.port, m.gateways, bound) for m in rule.match)
            clusters = tcp_routes.weighted(catalog, rule.route, bound.number)
            if fits and clusters and gateways:
                chain = _tcp_chain(catalog, obj, clusters)
                if bound.terminates:
                    _secure(catalog, chain, bound, ())
                yield chain
                return


def _sni_chains(catalog: Catalog, obj: Object, bound: _Bound, taken: set[str]) -> Iterator[components.FilterChain]:
    for rule in obj.body.tls:
        for match in rule.match:
            names_ = [host for host in match.sni_hosts if any(overlap(host, mine) for _, mine in bound.hosts)]
            clusters = tcp_routes.weighted(catalog, rule.route, bound.number)
            if not clusters or not names_ or taken & set(names_) or not _on_gateway(match.port, match.gateways, bound):
                continue
            taken |= set(names_)
            chain = _tcp_chain(catalog, obj, clusters)
            chain.filter_chain_match.server_names.extend(sorted(n for n in names_ if n != "*"))
            yield chain


def _on_gateway(port: int, gateways: tuple[str, ...], bound: _Bound) -> bool:
    return (not port or port == bound.number) and (not gateways or bound.owner in gateways)


def _tcp_chain(catalog: Catalog, obj: Object, clusters: list[tuple[str, int]]) -> components.FilterChain:
    scope = catalog.scope
    prefix = tcp_routes.stat_prefix(obj, clusters)
    filters = tcp.filters(
        direction=Direction.GATEWAY, stat_prefix=prefix, mesh=scope.mesh, clusters=clusters, policies=scope.policies
    )
    return components.FilterChain(filters=filters)


def _secure(catalog: Catalog, chain: components.FilterChain, bound: _Bound, alpn: tuple[str, ...]) -> None:
    hosts = sorted({host for _, host in bound.hosts})
    if "*" not in hosts:
        chain.filter_chain_match.server_names.extend(hosts)
    if bound.server.tls is not None:
        chain.transport_socket.CopyFrom(downstream_socket(bound.server.tls, catalog.scope.mesh, alpn))
    chain.transport_socket_connect_timeout.CopyFrom(seconds(_CONNECT_TIMEOUT))


def _manager(catalog: Catalog, stat_prefix: str, rds: str) -> components.Filter:
    scope = catalog.scope
    return hcm.http_connection_manager(
        direction=Direction.GATEWAY, stat_prefix=stat_prefix, mesh=scope.mesh, rds=rds, policies=scope.policies
    )


def _listener(catalog: Catalog, bind: str, port: int, chains: list[components.FilterChain]) -> listener_pb2.Listener:
    message = listener_pb2.Listener(name=f"{bind}_{port}", traffic_direction=base_pb2.OUTBOUND, filter_chains=chains)
    message.address.CopyFrom(socket_address(bind, port))
    if any(chain.filter_chain_match.server_names or chain.HasField("transport_socket") for chain in chains):
        message.listener_filters.add(
            name="envoy.filters.listener.tls_inspector", typed_config=any_of(tls_inspector_pb2.TlsInspector())
        )
    message.access_log.extend(access_log.listener_logs(catalog.scope.mesh))
    return message


def _attached(catalog: Catalog, bound: _Bound) -> Iterator[tuple[Object, list[str]]]:
    """The VirtualServices bound to this server, with their hosts after intersection with the server's (row GW-06)."""
    for obj in catalog.scope.virtual_services:
        if bound.owner not in obj.body.gateways:
            continue
        found = [
            narrow
            for host in obj.body.hosts
            for where, mine in bound.hosts
            if where in ("*", obj.namespace) and (narrow := overlap(host, mine)) is not None
        ]
        if found:
            yield obj, list(dict.fromkeys(found))


def _virtual_hosts(catalog: Catalog, servers: list[_Bound]) -> list[route.VirtualHost]:
    """One virtual host per host and number. Routes of several VirtualServices join, catch-alls behind (row VS-07)."""
    hosts: dict[tuple[str, int], list[route.Route]] = {}
    redirected: set[tuple[str, int]] = set()
    for bound in servers:
        place = Place(catalog, bound.number, frozenset({bound.owner}), tls=bound.terminates)
        redirects = bound.is_http and bound.server.tls is not None and bound.server.tls.https_redirect
        if redirects:
            redirected |= {(host, bound.number) for _, host in bound.hosts}
        for obj, names_ in _attached(catalog, bound):
            found = routes(obj, place) if obj.body.http else []
            for host in names_ if found else ():
                known = hosts.setdefault((host, bound.number), [])
                known += [r for r in found if r not in known]
                if redirects:
                    redirected.add((host, bound.number))
    for key in redirected:
        hosts.setdefault(key, [])
    made = [_virtual_host(host, number, found, (host, number) in redirected) for (host, number), found in hosts.items()]
    if not made:
        return [route.VirtualHost(name=f"blackhole:{servers[0].number}", domains=["*"])]
    return _distinct(sorted(made, key=lambda v: v.name))


def _virtual_host(host: str, number: int, found: list[route.Route], redirect: bool) -> route.VirtualHost:
    ordered = sorted(found, key=_is_catch_all)
    message = route.VirtualHost(
        name=f"{host}:{number}", domains=[host], routes=ordered, include_request_attempt_count=True
    )
    if redirect:
        message.require_tls = route.VirtualHost.ALL
    return message


def _distinct(hosts: list[route.VirtualHost]) -> list[route.VirtualHost]:
    """Two server numbers may lead to one listener port: a domain may then occur once only."""
    found: dict[str, route.VirtualHost] = {}
    for host in hosts:
        found.setdefault(host.domains[0], host)
    return list(found.values())


def _is_catch_all(entry: route.Route) -> bool:
    match = entry.match
    everything = match.prefix == "/" or match.safe_regex.regex in (".*", "*")
    return everything and not match.headers and not match.query_parameters
