"""Equal content has equal bytes and an equal version."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2

from mizzen.model.resources import CLUSTER
from mizzen.translate.messages import any_of, resource


def cluster(*keys: str) -> cluster_pb2.Cluster:
    message = cluster_pb2.Cluster(name="c")
    for key in keys:
        message.metadata.filter_metadata[key].update({"x": key})
    return message


def test_order_of_maps_leaves_no_trace() -> None:
    one, other = resource(CLUSTER, "c", cluster("a", "b", "z")), resource(CLUSTER, "c", cluster("z", "b", "a"))
    assert (one.version, one.body) == (other.version, other.body)
    assert resource(CLUSTER, "c", cluster("a")).version != one.version
    assert any_of(cluster("a", "b")) == any_of(cluster("b", "a"))


def test_a_packed_message_names_its_type() -> None:
    assert any_of(cluster()).type_url == "type.googleapis.com/envoy.config.cluster.v3.Cluster"
