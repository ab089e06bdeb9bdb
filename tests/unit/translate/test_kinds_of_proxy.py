"""What sort of proxy it is decides what it gets (rows XD-09, OL-23)."""

from __future__ import annotations

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

from mizzen.model.resources import CLUSTER, LISTENER
from tests.scenes import Scene, cluster, listener, unpacked

_Cluster = cluster_pb2.Cluster
UNLIMITED = 4_294_967_295


@pytest.mark.row("XD-09")
def test_a_sidecar_has_both_capture_listeners_and_a_gateway_none() -> None:
    scene = Scene()
    held = scene.resources()
    ports = {n: listener(held, n).address.socket_address.port_value for n in ("virtualOutbound", "virtualInbound")}
    assert ports == {"virtualOutbound": 15001, "virtualInbound": 15006}
    edge = scene.edge()
    assert not {"virtualOutbound", "virtualInbound"} & set(edge.get(LISTENER))
    assert not [name for name in edge.get(CLUSTER) if name.startswith(("inbound|", "Inbound"))]


@pytest.mark.row("OL-23")
def test_a_gateway_has_the_black_hole_alone() -> None:
    built_in = {"BlackHoleCluster", "PassthroughCluster", "InboundPassthroughCluster"}
    assert built_in & set(Scene().edge().get(CLUSTER)) == {"BlackHoleCluster"}
    assert built_in <= set(Scene().resources().get(CLUSTER))


@pytest.mark.row("OL-23")
@pytest.mark.parametrize(("name", "source"), [("PassthroughCluster", ""), ("InboundPassthroughCluster", "127.0.0.6")])
def test_passthrough_goes_where_the_client_meant(name: str, source: str) -> None:
    found = cluster(Scene(connectTimeout="7s").resources(), name)
    assert (found.type, found.lb_policy) == (_Cluster.ORIGINAL_DST, _Cluster.CLUSTER_PROVIDED)
    assert found.connect_timeout.seconds == 7
    assert not found.original_dst_lb_config.use_http_header
    assert found.upstream_bind_config.source_address.address == source
    (limits,) = found.circuit_breakers.thresholds
    assert {limits.max_connections.value, limits.max_requests.value, limits.max_pending_requests.value} == {UNLIMITED}
    packed = found.typed_extension_protocol_options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
    options = unpacked(packed, http_protocol_options_pb2.HttpProtocolOptions)
    assert options.HasField("use_downstream_protocol_config")
    assert options.common_http_protocol_options.idle_timeout.seconds == 300


@pytest.mark.row("OL-23")
def test_the_black_hole_has_no_endpoint() -> None:
    found = cluster(Scene().resources(), "BlackHoleCluster")
    assert found.type == _Cluster.STATIC
    assert not found.load_assignment.endpoints
