from __future__ import annotations

import pytest

from mizzen.model.resources import CLUSTER
from tests.scenes import cluster
from tests.unit.translate.patches.patching import patch, patched, statuses

REVIEWS = "outbound|80||reviews.shop.svc.cluster.local"
SLOW = {"connect_timeout": "33s"}


def hit(**match: object) -> list[str]:
    made = patched(patch("CLUSTER", "MERGE", SLOW, **match))
    return [name for name in made.get(CLUSTER) if cluster(made, name).connect_timeout.seconds == 33]


@pytest.mark.row("EF-06", "EF-09")
def test_which_clusters_a_match_means() -> None:
    assert hit(cluster={"name": REVIEWS, "portNumber": 99}) == [REVIEWS]
    assert hit(cluster={"service": "reviews.shop.svc.cluster.local"}) == [REVIEWS]
    assert hit(cluster={"service": "web.shop.svc.cluster.local"}, context="SIDECAR_INBOUND") == ["inbound|8080||"]
    assert hit(cluster={"portNumber": 8080}) == ["inbound|8080||"]
    assert hit(cluster={"subset": "v9"}) == []
    assert hit(context="SIDECAR_INBOUND") == ["inbound|8080||", "InboundPassthroughCluster"]
    assert len(hit(context="SIDECAR_OUTBOUND")) == 7
    assert hit(context="GATEWAY") == []


@pytest.mark.row("EF-06", "EF-12")
def test_a_cluster_is_added_last_and_never_over_another() -> None:
    made = patched(
        patch("CLUSTER", "ADD", {"name": "mine", "connect_timeout": "1s"}),
        patch("CLUSTER", "ADD", {"name": REVIEWS, "connect_timeout": "1s"}),
        patch("CLUSTER", "REMOVE", cluster={"name": "outbound|80||ratings.shop.svc.cluster.local"}),
    )
    assert list(made.get(CLUSTER))[-1] == "mine"
    assert cluster(made, REVIEWS).connect_timeout.seconds == 10
    assert "outbound|80||ratings.shop.svc.cluster.local" not in made.get(CLUSTER)
    assert statuses(made) == ["applied", "matched nothing", "applied"]


@pytest.mark.row("EF-06")
def test_a_socket_merges_into_the_one_of_its_name_or_is_dropped() -> None:
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    socket = {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": kind, "max_session_keys": 7}}
    before = cluster(patched(patch("CLUSTER", "REMOVE", cluster={"name": "gone"})), REVIEWS)
    after = cluster(patched(patch("CLUSTER", "MERGE", {"transport_socket": socket})), REVIEWS)
    assert after.transport_socket_matches[0] != before.transport_socket_matches[0]
    assert after.transport_socket_matches[1] == before.transport_socket_matches[1]
    assert not after.HasField("transport_socket")
    other = {**socket, "name": "some.other.socket"}
    assert cluster(patched(patch("CLUSTER", "MERGE", {"transport_socket": other})), REVIEWS) == before
