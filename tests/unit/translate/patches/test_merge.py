from __future__ import annotations

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from google.protobuf.any_pb2 import Any

from mizzen.translate.messages import any_of
from mizzen.translate.patches.merge import merge, merge_packed


@pytest.mark.row("EF-11")
def test_scalars_win_messages_merge_lists_grow_and_durations_are_replaced() -> None:
    cluster = cluster_pb2.Cluster(name="a", alt_stat_name="kept")
    cluster.connect_timeout.seconds, cluster.connect_timeout.nanos = 10, 5
    cluster.circuit_breakers.thresholds.add().max_requests.value = 1
    patch = cluster_pb2.Cluster(name="b")
    patch.connect_timeout.seconds = 3
    patch.circuit_breakers.thresholds.add().max_requests.value = 2
    patch.common_lb_config.healthy_panic_threshold.value = 5
    merge(cluster, patch)
    assert (cluster.name, cluster.alt_stat_name) == ("b", "kept")
    assert (cluster.connect_timeout.seconds, cluster.connect_timeout.nanos) == (3, 0)
    assert [t.max_requests.value for t in cluster.circuit_breakers.thresholds] == [1, 2]
    assert cluster.common_lb_config.healthy_panic_threshold.value == 5


@pytest.mark.row("EF-15")
def test_lists_are_replaced_when_asked_for_at_every_depth() -> None:
    cluster, patch = cluster_pb2.Cluster(), cluster_pb2.Cluster()
    cluster.circuit_breakers.thresholds.add().max_requests.value = 1
    patch.circuit_breakers.thresholds.add().max_requests.value = 2
    merge(cluster, patch, replace_lists=True)
    assert [t.max_requests.value for t in cluster.circuit_breakers.thresholds] == [2]


def test_a_wrapped_false_wins() -> None:
    manager, patch = hcm.HttpConnectionManager(), hcm.HttpConnectionManager()
    manager.normalize_path.value = True
    patch.normalize_path.value = False
    merge(manager, patch)
    assert manager.normalize_path.value is False


@pytest.mark.row("EF-11")
def test_packed_configs_merge_when_their_types_agree() -> None:
    packed = any_of(hcm.HttpConnectionManager(stat_prefix="a", upgrade_configs=[{"upgrade_type": "websocket"}]))
    merge_packed(packed, any_of(hcm.HttpConnectionManager(upgrade_configs=[{"upgrade_type": "CONNECT"}])))
    found = hcm.HttpConnectionManager()
    assert packed.Unpack(found)
    assert found.stat_prefix == "a"
    assert [u.upgrade_type for u in found.upgrade_configs] == ["websocket", "CONNECT"]
    merge_packed(packed, any_of(cluster_pb2.Cluster(name="other")))
    assert packed.Is(cluster_pb2.Cluster.DESCRIPTOR)
    merge_packed(packed, Any())
    assert packed.Is(cluster_pb2.Cluster.DESCRIPTOR)


def test_maps_merge_by_key() -> None:
    one, other = route_components_pb2.Route(), route_components_pb2.Route()
    one.typed_per_filter_config["a"].CopyFrom(any_of(cluster_pb2.Cluster(name="x")))
    other.typed_per_filter_config["b"].CopyFrom(any_of(cluster_pb2.Cluster(name="y")))
    other.metadata.filter_metadata["m"].update({"k": "v"})
    merge(one, other)
    assert sorted(one.typed_per_filter_config) == ["a", "b"]
    assert one.metadata.filter_metadata["m"]["k"] == "v"
