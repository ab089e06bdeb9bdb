from __future__ import annotations

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from mizzen.model.resources import CLUSTER
from tests.scenes import cluster, endpoints, unpacked
from tests.unit.translate.proxyless.scene import made

REVIEWS = "outbound|80||reviews.shop.svc.cluster.local"
RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy: {tls: {mode: ISTIO_MUTUAL}, loadBalancer: {simple: RANDOM}, connectionPool: {http: {http2MaxRequests: 7}}}
  subsets:
    - {name: v1, labels: {version: v1}, trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}}}
"""
LOST = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: gone}}]}]}
"""


@pytest.mark.row("XD-20")
def test_a_cluster_holds_what_grpc_reads_and_nothing_else() -> None:
    found = cluster(made(), REVIEWS)
    assert (found.type, found.lb_policy) == (cluster_pb2.Cluster.EDS, cluster_pb2.Cluster.ROUND_ROBIN)
    assert not found.transport_socket_matches
    assert not found.HasField("transport_socket"), "gRPC cannot choose TLS by endpoint"
    assert not found.typed_extension_protocol_options
    assert all(group.HasField("locality") for group in endpoints(made(), REVIEWS).endpoints)


@pytest.mark.row("XD-20")
def test_a_rule_gives_mesh_tls_limits_and_a_ring() -> None:
    found = cluster(made(RULE), REVIEWS)
    context = unpacked(found.transport_socket.typed_config, tls_pb2.UpstreamTlsContext)
    validation = context.common_tls_context.combined_validation_context.default_validation_context
    assert [m.exact for m in validation.match_subject_alt_names] == ["spiffe://cluster.local/ns/shop/sa/reviews"]
    assert context.sni == "outbound_.80_._.reviews.shop.svc.cluster.local"
    assert found.circuit_breakers.thresholds[0].max_requests.value == 7
    assert found.lb_policy == cluster_pb2.Cluster.ROUND_ROBIN, "gRPC does not know RANDOM"
    subset = cluster(made(RULE), "outbound|80|v1|reviews.shop.svc.cluster.local")
    assert subset.lb_policy == cluster_pb2.Cluster.RING_HASH


@pytest.mark.row("XD-20", "VS-27")
def test_a_destination_that_does_not_exist_is_a_cluster_without_endpoints() -> None:
    name = "outbound|80|gone|reviews.shop.svc.cluster.local"
    assert cluster(made(LOST), name).type == cluster_pb2.Cluster.EDS
    assert not endpoints(made(LOST), name).endpoints
    assert name not in made().get(CLUSTER)
