from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_components_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.api.mesh_config import InboundTrafficPolicy, MeshConfig
from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import AuthorizationPolicy, Rule
from mizzen.api.virtual_service import HTTPRetry
from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Service
from mizzen.model.view import Inbound, InboundPort, MtlsMode, Policies
from mizzen.translate import inbound

P = MtlsMode.PERMISSIVE


def service(name: str) -> Service:
    return Service(hostname=f"{name}.bar.svc.cluster.local", name=name, namespace="bar", ports=())


def view(
    *ports: InboundPort, mesh: MeshConfig | None = None, unlisted: tuple[tuple[int, MtlsMode], ...] = ()
) -> Inbound:
    return Inbound(key=0, mesh=mesh or MeshConfig(), namespace="bar", ports=ports, unlisted=unlisted)


def port(number: int, protocol: Protocol, mtls: MtlsMode = P) -> InboundPort:
    return InboundPort(port=number, protocol=protocol, service=service("web"), service_port=80, mtls=mtls)


def manager(chain: listener_components_pb2.FilterChain) -> hcm_pb2.HttpConnectionManager:
    config = hcm_pb2.HttpConnectionManager()
    assert chain.filters[-1].typed_config.Unpack(config)
    return config


def proxy(chain: listener_components_pb2.FilterChain) -> tcp_proxy_pb2.TcpProxy:
    config = tcp_proxy_pb2.TcpProxy()
    assert chain.filters[-1].typed_config.Unpack(config)
    return config


@pytest.mark.row("IL-01", "IL-04", "IL-05", "PA-08", "XD-22")
def test_black_hole_passthrough_unlisted_then_ports_ascending() -> None:
    listener = inbound.listener(
        view(port(9000, Protocol.TCP), port(8080, Protocol.HTTP), unlisted=((7000, MtlsMode.DISABLE),))
    )
    names = [(chain.name, chain.filter_chain_match.destination_port.value) for chain in listener.filter_chains]
    http, tcp = "virtualInbound-catchall-http", "virtualInbound"
    assert names == [
        ("virtualInbound-blackhole", 15006),
        *[(http, 0), (http, 0), (tcp, 0), (tcp, 0), (tcp, 0)],
        *[(http, 7000), (tcp, 7000)],
        *[("0.0.0.0_8080", 8080)] * 2,
        *[("0.0.0.0_9000", 9000)] * 3,
    ]
    assert listener.name == "virtualInbound"
    assert listener.address.socket_address.port_value == 15006
    assert listener.continue_on_listener_filters_timeout
    assert listener.HasField("listener_filters_timeout")
    assert proxy(listener.filter_chains[0]).cluster == "BlackHoleCluster"
    assert proxy(listener.filter_chains[3]).cluster == "InboundPassthroughCluster"


@pytest.mark.row("IL-04", "PA-09")
@pytest.mark.parametrize(("mode", "chains"), [(MtlsMode.PERMISSIVE, 5), (MtlsMode.STRICT, 2), (MtlsMode.DISABLE, 2)])
def test_undeclared_ports_have_the_chains_of_the_workloads_mode_and_its_policies(mode: MtlsMode, chains: int) -> None:
    deny = Object(
        kind="AuthorizationPolicy", meta=ObjectMeta(name="d"), body=AuthorizationPolicy(rules=(Rule(),), action="DENY")
    )
    made = inbound.listener(
        Inbound(key=0, mesh=MeshConfig(), namespace="bar", mtls=mode, policies=Policies(deny=(deny,)))
    )
    _, *found = made.filter_chains
    assert len(found) == chains
    assert not any(chain.filter_chain_match.HasField("destination_port") for chain in found)
    if mode is MtlsMode.STRICT:
        assert all(chain.HasField("transport_socket") for chain in found)
    config = manager(found[0])
    (host,) = config.route_config.virtual_hosts
    assert (config.stat_prefix, host.name) == ("InboundPassthroughCluster;", "inbound|http|0")
    assert host.routes[0].decorator.operation == ":0/*"
    assert "envoy.filters.http.rbac" in [f.name for f in config.http_filters]
    assert "envoy.filters.network.rbac" in [f.name for f in found[-1].filters]


@pytest.mark.row("IL-07", "IL-11")
def test_the_http_chain_of_a_port() -> None:
    chain = inbound.listener(view(port(8080, Protocol.HTTP))).filter_chains[-1]
    assert [f.name for f in chain.filters] == [
        "istio.metadata_exchange",
        "envoy.filters.network.http_connection_manager",
    ]
    config = manager(chain)
    assert config.stat_prefix == "inbound_0.0.0.0_8080;"
    route_config = MessageToDict(config.route_config)
    (host,) = route_config["virtualHosts"]
    (route,) = host["routes"]
    assert (route_config["name"], host["name"], host["domains"]) == ("inbound|8080||", "inbound|http|80", ["*"])
    assert route["name"] == "default"
    assert route["decorator"]["operation"] == "web.bar.svc.cluster.local:80/*"
    assert (route["route"]["cluster"], route["route"]["timeout"]) == ("inbound|8080||", "0s")


@pytest.mark.row("IL-10")
def test_http_filters_in_istios_order() -> None:
    chain = inbound.listener(view(port(8080, Protocol.GRPC_WEB))).filter_chains[-1]
    assert [f.name.removeprefix("envoy.filters.http.") for f in manager(chain).http_filters] == [
        "istio.metadata_exchange",
        "grpc_web",
        "mizzen.grpc_messages",
        "grpc_stats",
        "fault",
        "cors",
        "istio.stats",
        "router",
    ]
    assert manager(chain).HasField("http2_protocol_options")


@pytest.mark.row("IL-11")
def test_the_tcp_chain_of_a_port() -> None:
    chain = inbound.listener(view(port(9000, Protocol.TCP))).filter_chains[-1]
    assert [f.name for f in chain.filters] == [
        "istio.metadata_exchange",
        "istio.stats",
        "envoy.filters.network.tcp_proxy",
    ]
    assert (proxy(chain).stat_prefix, proxy(chain).cluster) == ("inbound|9000||", "inbound|9000||")


def clusters(*ports: InboundPort, mesh: MeshConfig | None = None) -> dict[str, cluster_pb2.Cluster]:
    return {cluster.name: cluster for cluster in inbound.clusters(view(*ports, mesh=mesh))}


def options(cluster: cluster_pb2.Cluster) -> dict[str, Any]:
    config = http_protocol_options_pb2.HttpProtocolOptions()
    for packed in cluster.typed_extension_protocol_options.values():
        assert packed.Unpack(config)
    return MessageToDict(config)


@pytest.mark.row("IL-02", "IL-03", "OL-25", "DR-43")
def test_the_cluster_of_a_port_goes_where_the_caller_meant() -> None:
    two = InboundPort(
        port=8080,
        protocol=Protocol.HTTP,
        service=service("a"),
        service_port=80,
        mtls=P,
        services=(service("a"), service("b")),
    )
    found = clusters(two)
    assert list(found) == ["inbound|8080||", "InboundPassthroughCluster"]
    cluster = found["inbound|8080||"]
    assert cluster.type == cluster_pb2.Cluster.ORIGINAL_DST
    assert cluster.lb_policy == cluster_pb2.Cluster.CLUSTER_PROVIDED
    assert cluster.upstream_bind_config.source_address.address == "127.0.0.6"
    assert cluster.alt_stat_name == "inbound|8080||;"
    (limits,) = cluster.circuit_breakers.thresholds
    assert not limits.track_remaining
    assert limits.max_connections.value == limits.max_requests.value == 2**32 - 1
    services = MessageToDict(cluster.metadata)["filterMetadata"]["istio"]["services"]
    assert [entry["host"] for entry in services] == ["a.bar.svc.cluster.local", "b.bar.svc.cluster.local"]


@pytest.mark.row("IL-02")
def test_localhost_policy_makes_it_static() -> None:
    mesh = MeshConfig(inbound_traffic_policy=InboundTrafficPolicy(mode="LOCALHOST"))
    cluster = clusters(port(8080, Protocol.HTTP), mesh=mesh)["inbound|8080||"]
    assert cluster.type == cluster_pb2.Cluster.STATIC
    assert not cluster.HasField("upstream_bind_config")
    (group,) = cluster.load_assignment.endpoints
    assert group.lb_endpoints[0].endpoint.address.socket_address.address == "127.0.0.1"


@pytest.mark.row("PR-09")
def test_protocols_towards_the_app() -> None:
    found = clusters(
        port(1, Protocol.HTTP), port(2, Protocol.GRPC), port(3, Protocol.UNSUPPORTED), port(4, Protocol.TCP)
    )
    assert options(found["inbound|1||"]) == {}
    assert options(found["inbound|2||"]) == {"explicitHttpConfig": {"http2ProtocolOptions": {}}}
    assert options(found["inbound|3||"]).keys() == {"useDownstreamProtocolConfig"}
    assert options(found["inbound|4||"]) == {}
    assert options(found["InboundPassthroughCluster"])["commonHttpProtocolOptions"] == {"idleTimeout": "300s"}


def test_replicas_share_their_bytes() -> None:
    first, second = (inbound.listener(view(port(8080, Protocol.HTTP))) for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


@pytest.mark.row("IL-07")
def test_the_meshs_inbound_retries_are_not_for_grpc() -> None:
    mesh = MeshConfig(default_inbound_http_retry_policy=HTTPRetry(attempts=3, retry_on="reset"))
    for protocol, tries in ((Protocol.HTTP, 3), (Protocol.GRPC, 0)):
        chain = inbound.listener(view(port(8080, protocol), mesh=mesh)).filter_chains[-1]
        (host,) = manager(chain).route_config.virtual_hosts
        assert host.routes[0].route.retry_policy.num_retries.value == tries


@pytest.mark.row("MC-25")
def test_the_clusters_name_in_statistics() -> None:
    own = InboundPort(
        port=8080,
        protocol=Protocol.HTTP,
        service=Service(
            hostname="web.bar.svc.cluster.local",
            name="web",
            namespace="bar",
            ports=(Port("http", 80, Protocol.HTTP, 8080),),
        ),
        service_port=80,
        mtls=P,
    )
    chosen = MeshConfig(inbound_cluster_stat_name="%SERVICE%_%SERVICE_PORT_NAME%_%TARGET_PORT%")
    assert inbound.clusters(view(own, mesh=chosen))[0].alt_stat_name == "web.bar_http_8080;"
    assert inbound.clusters(view(own))[0].alt_stat_name == "inbound|8080||;"


@pytest.mark.row("MC-26")
def test_the_listener_is_on_the_meshs_port() -> None:
    found = inbound.listener(view(mesh=MeshConfig(proxy_inbound_listen_port=16006)))
    assert found.address.socket_address.port_value == 16006


@pytest.mark.row("TC-07")
def test_with_tproxy_the_source_is_kept() -> None:
    plain = inbound.listener(view())
    kept = inbound.listener(replace(view(), interception="TPROXY"))
    assert kept.transparent.value
    assert not plain.transparent.value
    names = [found.name for found in kept.listener_filters]
    assert names[:2] == ["envoy.filters.listener.original_dst", "envoy.filters.listener.original_src"]


@pytest.mark.row("TC-08")
def test_without_capture_only_what_a_sidecar_gives_has_a_listener() -> None:
    given = replace(port(9080, Protocol.HTTP), endpoint="127.0.0.1:8080")
    (found,) = inbound.listeners(replace(view(given, port(8080, Protocol.HTTP)), interception="NONE"))
    assert (found.name, found.address.socket_address.port_value) == ("0.0.0.0_9080", 9080)
    assert "envoy.filters.listener.original_dst" not in [f.name for f in found.listener_filters]
    assert [one.name for one in inbound.listeners(view(given))] == ["virtualInbound"]
