from __future__ import annotations

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from mizzen.translate import alpn
from tests.scenes import cluster
from tests.unit.translate.patches.patching import patch, patched

REVIEWS = "outbound|80||reviews.shop.svc.cluster.local"
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def offered(of: cluster_pb2.Cluster) -> tuple[str, ...]:
    context = tls_pb2.UpstreamTlsContext()
    assert of.transport_socket_matches[0].transport_socket.typed_config.Unpack(context)
    return tuple(context.common_tls_context.alpn_protocols)


def explicit(version: str) -> dict[str, object]:
    value = {"@type": f"type.googleapis.com/{OPTIONS}", "explicit_http_config": {f"{version}_protocol_options": {}}}
    return {"typed_extension_protocol_options": {OPTIONS: value}}


@pytest.mark.row("EF-06", "OL-22")
@pytest.mark.parametrize("value", [{"http2_protocol_options": {}}, explicit("http2")])
def test_a_cluster_that_a_patch_makes_speak_http2_offers_it(value: dict[str, object]) -> None:
    assert offered(cluster(patched(patch("CLUSTER", "MERGE", value)), REVIEWS)) == alpn.HTTP2


@pytest.mark.row("EF-06", "OL-22")
@pytest.mark.parametrize(
    "value", [{"connect_timeout": "3s"}, explicit("http"), {**explicit("http"), "http2_protocol_options": {}}]
)
def test_other_patches_leave_the_offer_alone(value: dict[str, object]) -> None:
    assert offered(cluster(patched(patch("CLUSTER", "MERGE", value)), REVIEWS)) == alpn.HTTP11
