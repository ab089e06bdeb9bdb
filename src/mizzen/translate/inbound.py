"""What a sidecar serves: the listener ``virtualInbound`` and the clusters behind it (rows IL-01 to IL-05, IL-07)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import address_pb2, base_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2

from mizzen.api.gateway import ServerTLSSettings
from mizzen.api.mesh_config import MeshConfig
from mizzen.model.extension import Phase
from mizzen.model.protocol import Protocol
from mizzen.model.service import Service
from mizzen.model.view import Inbound, InboundPort, MtlsMode
from mizzen.translate import access_log, connection_pool, exchange, extensions, families, header_case, names, tcp, tls
from mizzen.translate import filters as f
from mizzen.translate.accepting import accept
from mizzen.translate.chains import Shape, own_tls, shapes
from mizzen.translate.filters import Direction
from mizzen.translate.gateway_tls import downstream_socket
from mizzen.translate.hcm import http_connection_manager
from mizzen.translate.http.retry import inbound_policy
from mizzen.translate.inspectors import listener_filters
from mizzen.translate.scalars import seconds
from mizzen.translate.telemetry import Chain

LISTENER = "virtualInbound"
PASSTHROUGH = "InboundPassthroughCluster"
BLACK_HOLE = "BlackHoleCluster"
SOURCE = "127.0.0.6"
"""What Envoy calls the app from; capture lets it by (rows IL-02, TC-03)."""

_POD_ITSELF = ("0.0.0.0", "[::]")  # noqa: S104 - in a Sidecar these stand for the pod's own address
_LONGEST_SECONDS = 9_223_372_035
"""The longest duration that Envoy takes: an inbound cluster's one host is never cleaned up."""
_IDLE_SECONDS = 300


@dataclass(frozen=True)
class _Target:
    """Where the chains of one set lead: ``port`` 0 means every port that no other set names."""

    port: int
    protocol: Protocol
    mtls: MtlsMode
    cluster: str
    stat_prefix: str
    virtual_host: str
    operation: str
    http_name: str
    tcp_name: str
    service: Service | None = None
    tls: ServerTLSSettings | None = None


def listeners(inbound: Inbound) -> list[listener_pb2.Listener]:
    """``virtualInbound``; without capture one listener with a socket of its own per port that a Sidecar gives an app
    to, since no traffic comes to a common one (row TC-08)."""
    if inbound.interception != "NONE":
        return [listener(inbound)]
    return [_own_socket(target, inbound) for target in _targets(inbound) if target.port in _given(inbound)]


def _given(inbound: Inbound) -> set[int]:
    return {port.port for port in inbound.ports if port.endpoint}


def _own_socket(target: _Target, inbound: Inbound) -> listener_pb2.Listener:
    mesh = inbound.mesh
    result = listener_pb2.Listener(
        name=target.tcp_name,
        address=_address("0.0.0.0", target.port),  # noqa: S104 - the pod's address, which is no fact of a shared resource
        traffic_direction=base_pb2.INBOUND,
        continue_on_listener_filters_timeout=True,
        access_log=access_log.listener_logs(mesh, inbound.conduct.server),
        # The first finds the original destination, of which there is none.
        listener_filters=listener_filters(inbound)[1:],
    )
    result.listener_filters_timeout.FromNanoseconds(mesh.protocol_detection_timeout.nanos)
    result.filter_chains.extend(_chains(target, inbound))
    accept(result, exact=inbound.conduct.connections.balance_inbound)
    return families.listen(result, inbound.families)


def listener(inbound: Inbound) -> listener_pb2.Listener:
    """``virtualInbound`` with its black hole, the passthrough sets and one chain set per container port."""
    mesh = inbound.mesh
    port = mesh.proxy_inbound_listen_port
    result = listener_pb2.Listener(
        name=LISTENER,
        address=_address("0.0.0.0", port),  # noqa: S104 - captured traffic of the pod
        traffic_direction=base_pb2.INBOUND,
        continue_on_listener_filters_timeout=True,
        access_log=access_log.listener_logs(mesh, inbound.conduct.server),
        listener_filters=listener_filters(inbound),
    )
    if inbound.interception == "TPROXY":
        result.transparent.value = True
    result.listener_filters_timeout.FromNanoseconds(mesh.protocol_detection_timeout.nanos)
    accept(result, exact=inbound.conduct.connections.balance_inbound)
    result.filter_chains.append(_black_hole(port, inbound))
    for target in _targets(inbound):
        result.filter_chains.extend(_chains(target, inbound))
    return families.listen(result, inbound.families)


def _chains(target: _Target, inbound: Inbound) -> Iterator[listener_pb2.FilterChain]:
    found = (own_tls(target.protocol),) if target.tls else shapes(target.mtls, target.protocol)
    return (_chain(shape, target, inbound) for shape in found)


def clusters(inbound: Inbound) -> list[cluster_pb2.Cluster]:
    """``inbound|<port>||`` per container port, then InboundPassthroughCluster (rows IL-02, OL-23)."""
    found = [_port_cluster(port, inbound.mesh) for port in sorted(inbound.ports, key=lambda p: p.port)]
    found.append(_passthrough_cluster(inbound.mesh))
    if header_case.kept(inbound.conduct.config):
        raw = {cluster_name(port.port) for port in inbound.ports if port.protocol in (Protocol.TCP, Protocol.TLS)}
        for cluster in (cluster for cluster in found if cluster.name not in raw):
            header_case.keep_towards(cluster)
    return [families.call_from(cluster, inbound.families) for cluster in found]


def cluster_name(port: int) -> str:
    return f"inbound|{port}||"


def _targets(inbound: Inbound) -> Iterator[_Target]:
    yield _passthrough(0, inbound.mtls)
    for number, mode in sorted(inbound.unlisted):
        yield _passthrough(number, mode)
    for port in sorted(inbound.ports, key=lambda p: p.port):
        name = f"0.0.0.0_{port.port}"
        yield _Target(
            port=port.port,
            protocol=port.protocol,
            mtls=port.mtls,
            cluster=cluster_name(port.port),
            stat_prefix=f"inbound_0.0.0.0_{port.port};",
            virtual_host=f"inbound|http|{port.service_port}",
            operation=f"{port.service.hostname}:{port.service_port}/*",
            http_name=name,
            tcp_name=name,
            service=port.service,
            tls=port.tls,
        )


def _passthrough(port: int, mode: MtlsMode) -> _Target:
    return _Target(
        port=port,
        protocol=Protocol.UNSUPPORTED,
        mtls=mode,
        cluster=PASSTHROUGH,
        stat_prefix=f"{PASSTHROUGH};",
        virtual_host="inbound|http|0",
        operation=":0/*",
        http_name="virtualInbound-catchall-http",
        tcp_name=LISTENER,
    )


def _chain(shape: Shape, target: _Target, inbound: Inbound) -> listener_components_pb2.FilterChain:
    chain = listener_components_pb2.FilterChain(name=target.http_name if shape.http else target.tcp_name)
    if target.port:
        chain.filter_chain_match.destination_port.value = target.port
    chain.filter_chain_match.transport_protocol = shape.transport
    chain.filter_chain_match.application_protocols.extend(shape.alpn)
    if shape.mtls:
        alpn = tls.ALPN_HTTP if shape.http else tls.ALPN_TCP
        chain.transport_socket.CopyFrom(tls.mesh_downstream_socket(inbound.mesh, alpn=alpn))
    if target.tls is not None:
        spoken = ("h2", "http/1.1") if shape.http else ()
        chain.transport_socket.CopyFrom(downstream_socket(target.tls, inbound.mesh, spoken))
    if shape.http:
        chain.filters.extend(_http_filters(shape, target, inbound))
    else:
        chain.filters.extend(
            tcp.filters(
                direction=Direction.INBOUND,
                stat_prefix=target.cluster,
                mesh=inbound.mesh,
                conduct=inbound.conduct,
                clusters=[(target.cluster, 1)],
                policies=inbound.policies,
                chain=Chain(Direction.INBOUND, target.service, shape.mtls),
                plugins=_plugins(target, inbound),
            )
        )
    return chain


def _plugins(target: _Target, inbound: Inbound) -> extensions.Placed:
    return extensions.on(inbound.extensions, Direction.INBOUND, target.port)


def _http_filters(shape: Shape, target: _Target, inbound: Inbound) -> list[f.NetworkFilter]:
    manager = http_connection_manager(
        direction=Direction.INBOUND,
        stat_prefix=target.stat_prefix,
        mesh=inbound.mesh,
        conduct=inbound.conduct,
        route_config=_route(target, inbound.mesh),
        policies=inbound.policies,
        http2=target.protocol.is_http2,
        http10=inbound.http10,
        grpc_web=target.protocol is Protocol.GRPC_WEB,
        grpc=target.protocol.is_http2,
        chain=Chain(Direction.INBOUND, target.service, shape.mtls),
        plugins=_plugins(target, inbound),
    )
    # The bytes of HTTP, too, pass the network filters of plugins (row WP-10).
    bytes_first = (extensions.network(_plugins(target, inbound), phase) for phase in Phase)
    return [f.network_marker(f.METADATA_EXCHANGE), *itertools.chain(*bytes_first), manager]


def _route(target: _Target, mesh: MeshConfig) -> route_pb2.RouteConfiguration:
    """The inline route of an inbound chain (row IL-07). It takes the peer's headers off before the app sees them."""
    route = route_components_pb2.Route(name="default")
    route.match.prefix = "/"
    route.route.cluster = target.cluster
    route.route.timeout.SetInParent()
    route.route.max_stream_duration.max_stream_duration.SetInParent()
    route.route.max_stream_duration.grpc_timeout_header_max.SetInParent()
    route.decorator.operation = target.operation
    policy = inbound_policy(mesh, target.protocol)
    if policy is not None:
        route.route.retry_policy.CopyFrom(policy)
    host = route_components_pb2.VirtualHost(name=target.virtual_host, domains=["*"], routes=[route])
    config = route_pb2.RouteConfiguration(
        name=target.cluster, virtual_hosts=[host], request_headers_to_remove=exchange.HEADERS
    )
    config.validate_clusters.value = False
    return config


def _black_hole(port: int, inbound: Inbound) -> listener_components_pb2.FilterChain:
    """Row IL-05: a call to 15006 itself would loop."""
    chain = listener_components_pb2.FilterChain(name="virtualInbound-blackhole")
    chain.filter_chain_match.destination_port.value = port
    chain.filters.extend(
        tcp.filters(
            direction=Direction.INBOUND,
            stat_prefix=BLACK_HOLE,
            mesh=inbound.mesh,
            conduct=inbound.conduct,
            clusters=[(BLACK_HOLE, 1)],
        )
    )
    return chain


def _port_cluster(port: InboundPort, mesh: MeshConfig) -> cluster_pb2.Cluster:
    name = cluster_name(port.port)
    endpoint = port.endpoint
    if not endpoint and mesh.inbound_traffic_policy.mode == "LOCALHOST":
        endpoint = f"127.0.0.1:{port.port}"
    host, _, number = endpoint.rpartition(":")
    if not endpoint or host in _POD_ITSELF:
        cluster = _to_original_destination(name, mesh)
        if number and int(number) != port.port:
            cluster.original_dst_lb_config.upstream_port_override.value = int(number)
    else:
        cluster = _cluster(name, mesh, cluster_pb2.Cluster.STATIC)
        cluster.load_assignment.cluster_name = name
        target = cluster.load_assignment.endpoints.add().lb_endpoints.add().endpoint.address
        if endpoint.startswith("unix://"):
            target.pipe.path = endpoint.removeprefix("unix://")
        else:
            target.CopyFrom(_address(host.strip("[]"), int(number)))
    service_port = next((p for p in port.service.ports if p.number == port.service_port), None)
    pattern = mesh.inbound_cluster_stat_name if service_port is not None else ""
    cluster.alt_stat_name = names.stat_name(pattern or name, port.service, service_port, "")
    connection_pool.apply_inbound(cluster, port.policy, mesh, _speech(port.protocol))
    cluster.metadata.filter_metadata["istio"]["default_original_port"] = port.service_port
    for service in port.services or (port.service,):
        _describe(cluster, service)
    return cluster


def _speech(protocol: Protocol) -> str:
    """Row PR-09: HTTP/2 where declared, the client's own where detected, HTTP/1.1 otherwise."""
    if protocol is Protocol.UNSUPPORTED:
        return connection_pool.FOLLOW
    return "h2" if protocol.is_http2 else ""


def _passthrough_cluster(mesh: MeshConfig) -> cluster_pb2.Cluster:
    cluster = _to_original_destination(PASSTHROUGH, mesh)
    cluster.ClearField("cleanup_interval")
    connection_pool.follow_client(cluster, seconds(_IDLE_SECONDS))
    return cluster


def _to_original_destination(name: str, mesh: MeshConfig) -> cluster_pb2.Cluster:
    cluster = _cluster(name, mesh, cluster_pb2.Cluster.ORIGINAL_DST)
    cluster.lb_policy = cluster_pb2.Cluster.CLUSTER_PROVIDED
    cluster.upstream_bind_config.source_address.address = SOURCE
    cluster.upstream_bind_config.source_address.port_value = 0
    cluster.cleanup_interval.seconds = _LONGEST_SECONDS
    return cluster


def _cluster(name: str, mesh: MeshConfig, kind: cluster_pb2.Cluster.DiscoveryType) -> cluster_pb2.Cluster:
    cluster = cluster_pb2.Cluster(name=name, type=kind)
    cluster.connect_timeout.FromNanoseconds(mesh.connect_timeout.nanos)
    connection_pool.apply_inbound(cluster, None, mesh, "")
    return cluster


def _describe(cluster: cluster_pb2.Cluster, service: Service) -> None:
    facts = cluster.metadata.filter_metadata["istio"]
    if "services" not in facts:
        facts["services"] = []
    entry = {"host": service.hostname, "name": service.name, "namespace": service.namespace}
    facts["services"].append(entry)


def _address(host: str, port: int) -> address_pb2.Address:
    return address_pb2.Address(socket_address=address_pb2.SocketAddress(address=host, port_value=port))
