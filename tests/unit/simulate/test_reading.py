from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.route.v3 import route_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.wrappers_pb2 import BoolValue, StringValue

from mizzen.model.resources import CLUSTER, ROUTE, ResourceSet
from mizzen.simulate.reading import Reading, unpacked
from mizzen.translate.messages import resource

HELD = ResourceSet.of(
    [
        resource(CLUSTER, "a", cluster_pb2.Cluster(name="a")),
        resource(ROUTE, "80", route_pb2.RouteConfiguration(name="80")),
    ]
)


def test_resources_are_found_by_name_and_parsed_once() -> None:
    reading = Reading(HELD)
    found = reading.route_configuration("80")
    assert found is not None
    assert found.name == "80"
    assert reading.route_configuration("80") is found
    assert reading.route_configuration("81") is None
    assert reading.listeners == []


def test_a_cluster_is_known_by_name_alone() -> None:
    assert Reading(HELD).has_cluster("a")
    assert not Reading(HELD).has_cluster("80")


def test_an_any_of_another_type_is_nothing() -> None:
    packed = Any()
    packed.Pack(StringValue(value="x"))
    found = unpacked(packed, StringValue)
    assert found is not None
    assert found.value == "x"
    assert unpacked(packed, BoolValue) is None
