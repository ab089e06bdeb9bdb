from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2

from mizzen.cli.offline import Answer
from mizzen.model.resources import CLUSTER, ENDPOINT, Resource, ResourceSet
from mizzen.proto import stats_logger_pb2
from mizzen.proto.shown import decoded


def answer() -> Answer:
    cluster = cluster_pb2.Cluster(name="a", type=cluster_pb2.Cluster.EDS)
    endpoints = endpoint_pb2.ClusterLoadAssignment(cluster_name="a")
    socket = endpoints.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
    socket.address, socket.port_value = "10.255.0.1", 9080
    found = [
        Resource.of(CLUSTER, "a", cluster.SerializeToString()),
        Resource.of(ENDPOINT, "a", endpoints.SerializeToString()),
    ]
    return Answer(ResourceSet.of(found))


def test_resources_stand_where_envoys_dump_has_them() -> None:
    from mizzen.cli.proxyconfig.dump import Dump

    assert Dump(answer().config_dump()).clusters() == [{"@type": CLUSTER, "name": "a", "type": "EDS"}]


def test_endpoints_are_healthy_to_begin_with() -> None:
    (status,) = answer().clusters()["cluster_statuses"]
    (host,) = status["host_statuses"]
    assert (status["name"], host["address"]["socket_address"]["port_value"], host["health_status"]) == (
        "a",
        9080,
        {"eds_health_status": "HEALTHY"},
    )


def test_messages_that_we_define_ourselves_are_printed_by_envoys_name() -> None:
    action = stats_logger_pb2.TransformStat()
    action.update_tag.new_tag_value = "200"
    url = "type.googleapis.com/envoy.extensions.matching.actions.transform_stat.v3.TransformStat"
    assert decoded(url, action.SerializeToString()) == {"update_tag": {"new_tag_value": "200"}}
    assert decoded("type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config", b"") == {}


def test_the_metrics_logger_is_printed_as_envoy_prints_it() -> None:
    from xds.type.matcher.v3 import matcher_pb2

    rules = matcher_pb2.Matcher()
    rules.matcher_tree.input.name = "value"
    rules.matcher_tree.input.typed_config.Pack(stats_logger_pb2.StatTagValueInput())
    # On the wire the type carries Envoy's name.
    rules.matcher_tree.input.typed_config.type_url = (
        "type.googleapis.com/envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput"
    )
    config = stats_logger_pb2.Config()
    histogram = config.histograms.add(unit=stats_logger_pb2.Config.Histogram.MILLISECONDS)
    histogram.stat.tags.add(name="source_app", rules=rules.SerializeToString())
    url = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
    (shown,) = decoded(url, config.SerializeToString())["histograms"]
    assert shown["unit"] == "Milliseconds"
    (tag,) = shown["stat"]["tags"]
    assert tag["rules"]["matcher_tree"]["input"] == {
        "name": "value",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.stats.v3.StatTagValueInput"
        },
    }


def test_endpoints_are_completed_as_envoy_does_it() -> None:
    part = next(c for c in answer().config_dump()["configs"] if c["@type"].endswith(".EndpointsConfigDump"))
    (entry,) = part["dynamic_endpoint_configs"]
    assert entry["endpoint_config"]["policy"] == {"overprovisioning_factor": 140}
    assert entry["endpoint_config"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["health_check_config"] == {}
