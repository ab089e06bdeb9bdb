"""Listeners of a gateway and what their chains lead to (rows GW-01, GW-02, GW-11 to GW-16, GW-25, GW-27, GW-33, GW-35)."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.listener.proxy_protocol.v3 import proxy_protocol_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from google.protobuf.message import Message

from mizzen.model.resources import LISTENER, ROUTE, Resource
from mizzen.translate import access_log, connection_settings, extensions, families, hcm
from mizzen.translate.accepting import accept
from mizzen.translate.catalog import Catalog
from mizzen.translate.filters import Direction
from mizzen.translate.gateway_hosts import virtual_hosts
from mizzen.translate.gateway_server import BoundServer, by_address
from mizzen.translate.gateway_tcp import secure, sni_chains, tcp_chain, with_deadline
from mizzen.translate.messages import any_of, resource
from mizzen.translate.outbound import socket_address
from mizzen.translate.routes import configuration


def resources(catalog: Catalog) -> Iterator[Resource]:
    """One listener per bind and port that has a chain, and the route configurations of its HTTP servers."""
    configurations: list[Resource] = []
    for bind, port, servers in by_address(catalog):
        chains = list(_chains(catalog, bind, port, servers, configurations))
        if chains:
            listener = families.listen(_listener(catalog, bind, port, chains), catalog.scope.families)
            yield resource(LISTENER, listener.name, listener)
    yield from configurations


def _chains(
    catalog: Catalog, bind: str, port: int, servers: list[BoundServer], configurations: list[Resource]
) -> Iterator[components.FilterChain]:
    """Plain HTTP servers share a chain behind all others; every server that ends TLS has its own."""
    prefix = f"outbound_{bind}_{port};"
    plain = [s for s in servers if s.is_http]
    taken: set[str] = set()
    for bound in servers:
        if bound.is_http:
            continue
        if bound.protocol == "HTTPS" and bound.terminates:
            configurations.append(_configuration(catalog, [bound]))
            manager = _manager(catalog, bound.server.name or prefix, [bound])
            chain = components.FilterChain(filters=[manager])
            secure(catalog, chain, bound, ("h2", "http/1.1"))
            yield with_deadline(chain)
        elif bound.is_tls and not bound.terminates:
            yield from sni_chains(catalog, bound, taken)
        else:
            yield from tcp_chain(catalog, bound)
    if plain:
        configurations.append(_configuration(catalog, plain))
        yield with_deadline(components.FilterChain(filters=[_manager(catalog, prefix, plain)]))


def _configuration(catalog: Catalog, servers: list[BoundServer]) -> Resource:
    name = servers[0].route_name
    return resource(ROUTE, name, configuration(name, virtual_hosts(catalog, servers)))


def _manager(catalog: Catalog, stat_prefix: str, servers: list[BoundServer]) -> components.Filter:
    scope = catalog.scope
    return hcm.http_connection_manager(
        direction=Direction.GATEWAY,
        stat_prefix=stat_prefix,
        mesh=scope.mesh,
        conduct=scope.conduct,
        rds=servers[0].route_name,
        policies=scope.policies,
        http10=scope.http10,
        grpc_web=any(bound.protocol == "GRPC-WEB" for bound in servers),
        grpc=any(bound.protocol in ("GRPC", "GRPC-WEB", "HTTP2") for bound in servers),
        dynamic=catalog.dynamic_hosts,
        plugins=extensions.on(scope.extensions, Direction.GATEWAY, servers[0].number),
    )


def _listener(catalog: Catalog, bind: str, port: int, chains: list[components.FilterChain]) -> listener_pb2.Listener:
    mesh = catalog.scope.mesh
    message = listener_pb2.Listener(name=f"{bind}_{port}", traffic_direction=base_pb2.OUTBOUND, filter_chains=chains)
    message.address.CopyFrom(socket_address(bind, port))
    if catalog.scope.conduct.config.gateway_topology.get("proxyProtocol") is not None:
        _inspect(message, "envoy.filters.listener.proxy_protocol", proxy_protocol_pb2.ProxyProtocol())
    if any(chain.filter_chain_match.server_names or chain.HasField("transport_socket") for chain in chains):
        _inspect(message, "envoy.filters.listener.tls_inspector", tls_inspector_pb2.TlsInspector())
    connection_settings.limit_buffer(message, catalog.scope.conduct.config)
    message.access_log.extend(access_log.listener_logs(mesh, catalog.scope.conduct.client))
    return accept(message, exact=catalog.scope.conduct.connections.balance_outbound)


def _inspect(message: listener_pb2.Listener, name: str, config: Message) -> None:
    message.listener_filters.add(name=name, typed_config=any_of(config))
