"""Sizes of rings and tables, and slow start."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.translate import load_balancer
from tests.meshes import rule


def made(**settings: Any) -> dict[str, Any]:
    cluster = cluster_pb2.Cluster(type=cluster_pb2.Cluster.EDS)
    body = rule("r", "a", host="x", trafficPolicy={"loadBalancer": settings}).body
    load_balancer.apply(cluster, body.traffic_policy.load_balancer)
    return MessageToDict(cluster)


@pytest.mark.row("DR-14")
@pytest.mark.parametrize(
    ("hashed", "policy", "config"),
    [
        ({}, "RING_HASH", {"ringHashLbConfig": {"minimumRingSize": "1024"}}),
        ({"minimumRingSize": 7}, "RING_HASH", {"ringHashLbConfig": {"minimumRingSize": "7"}}),
        ({"ringHash": {"minimumRingSize": 9}}, "RING_HASH", {"ringHashLbConfig": {"minimumRingSize": "9"}}),
        ({"ringHash": {"minimumRingSize": 0}}, "RING_HASH", {}),
        ({"maglev": {"tableSize": 65537}}, "MAGLEV", {"maglevLbConfig": {"tableSize": "65537"}}),
    ],
)
def test_hashing(hashed: dict[str, Any], policy: str, config: dict[str, Any]) -> None:
    found = made(consistentHash={"httpHeaderName": "x", **hashed})
    assert found.pop("lbPolicy") == policy
    found.pop("type")
    assert found == config


@pytest.mark.row("DR-22")
def test_slow_start_has_its_defaults_and_is_for_two_algorithms() -> None:
    config = made(warmup={"duration": "5s"})["leastRequestLbConfig"]["slowStartConfig"]
    assert config["slowStartWindow"] == "5s"
    assert config["minWeightPercent"] == {"value": 10.0}
    assert config["aggression"]["defaultValue"] == 1.0
    assert "slowStartConfig" in made(simple="ROUND_ROBIN", warmup={"duration": "5s"})["roundRobinLbConfig"]
    assert "LbConfig" not in str(made(simple="RANDOM", warmup={"duration": "5s"}))
    old = made(simple="ROUND_ROBIN", warmupDurationSecs="3s")["roundRobinLbConfig"]["slowStartConfig"]
    assert old == {"slowStartWindow": "3s"}


@pytest.mark.row("DR-12")
def test_what_goes_to_its_original_address_is_balanced_by_the_cluster() -> None:
    cluster = cluster_pb2.Cluster(type=cluster_pb2.Cluster.ORIGINAL_DST)
    load_balancer.apply(cluster, None)
    assert cluster.lb_policy == cluster_pb2.Cluster.CLUSTER_PROVIDED
