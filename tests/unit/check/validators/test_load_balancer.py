"""Algorithms, hashing, warm-up, locality."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, policy, warnings


@pytest.mark.parametrize(("lb", "wrong"), [
    ({"simple": "ROUND_ROBIN", "warmup": {"duration": "10s"}}, []),
    ({"simple": "RANDOM", "warmup": {}}, ["", ".warmup.duration"]),
    ({"warmup": {"duration": "10s", "minimumPercent": 101, "aggression": 0.5}}, [".warmup.minimumPercent", ".warmup.aggression"]),
    ({"consistentHash": {}}, [".consistentHash"]),
    ({"consistentHash": {"httpHeaderName": "x-user"}}, []),
    ({"consistentHash": {"httpCookie": {"name": "c", "attributes": [{"name": "a", "value": "b\n"}]}}}, [".consistentHash.httpCookie.attributes[0]"]),
    ({"consistentHash": {"httpCookie": {"name": "c", "attributes": [{"value": "b"}]}}}, [".consistentHash.httpCookie.attributes[0]"]),
    ({"consistentHash": {"httpHeaderName": "x\nuser"}}, [".consistentHash.httpHeaderName"]),
    ({"consistentHash": {"httpQueryParameterName": ""}}, [".consistentHash.httpQueryParameterName"]),
    ({"consistentHash": {"useSourceIp": True, "ringHash": {"minimumRingSize": 8388608}}}, []),
    ({"consistentHash": {"useSourceIp": True, "ringHash": {"minimumRingSize": 8388609}}}, [".consistentHash.ringHash.minimumRingSize"]),
    ({"consistentHash": {"useSourceIp": True, "minimumRingSize": 8388609}}, [".consistentHash.minimumRingSize"]),
    ({"consistentHash": {"httpCookie": {"name": ""}}}, [".consistentHash.httpCookie.name"]),
    ({"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": 65537}}}, []),
    ({"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": 65536}}}, [".consistentHash.maglev.tableSize"]),
    ({"consistentHash": {"useSourceIp": True, "maglev": {}}}, [".consistentHash.maglev.tableSize"]),
    ({"consistentHash": {"useSourceIp": True, "minimumRingSize": 5, "ringHash": {}}}, [".consistentHash.minimumRingSize"]),
    ({"localityLbSetting": {}, "zoneAwareLbSetting": {}}, [""]),
    ({"localityLbSetting": {"distribute": [{"from": "a/*", "to": {"a/x/*": 80, "b/*": 20}}]}}, []),
    ({"localityLbSetting": {"distribute": [{"from": "a/*", "to": {"b": 80}}]}}, [".localityLbSetting.distribute[0].to"]),
    ({"localityLbSetting": {"distribute": [{"from": "*/a", "to": {"b": 100}}]}}, [".localityLbSetting.distribute[0].from"]),
    ({"localityLbSetting": {"distribute": [{"from": "a/*", "to": {"b": 100}}, {"from": "a/b", "to": {"b": 100}}]}}, [".localityLbSetting.distribute[1].from"]),
    ({"localityLbSetting": {"failover": [{"from": "a", "to": "a"}]}}, [".localityLbSetting.failover[0]"]),
    ({"localityLbSetting": {"failover": [{"from": "a/b", "to": "c*"}]}}, [".localityLbSetting.failover[0].from", ".localityLbSetting.failover[0].to"]),
    ({"localityLbSetting": {"failover": [{"from": "a", "to": "b"}], "distribute": [{"from": "a", "to": {"b": 100}}]}}, [".localityLbSetting"]),
    ({"zoneAwareLbSetting": {"failoverPriority": ["topology.kubernetes.io/region"]}}, [".zoneAwareLbSetting.failoverPriority[0]"]),
])  # fmt: skip
def test_settings(lb: dict[str, Any], wrong: list[str]) -> None:
    spec = policy(loadBalancer=lb, outlierDetection={})
    assert errors("DestinationRule", spec) == [f"spec.trafficPolicy.loadBalancer{w}" for w in wrong]


def test_advice() -> None:
    path = "spec.trafficPolicy.loadBalancer"
    assert warnings("DestinationRule", policy(loadBalancer={"simple": "LEAST_CONN"})) == [f"{path}.simple"]
    failover = {"localityLbSetting": {"failover": [{"from": "a", "to": "b"}]}}
    assert warnings("DestinationRule", policy(loadBalancer=failover)) == [f"{path}.localityLbSetting"]


@pytest.mark.row("DR-21", "DR-23")
def test_what_is_taken_without_its_whole_effect() -> None:
    assert warnings("DestinationRule", policy(loadBalancer={"zoneAwareLbSetting": {}})) == [
        "spec.trafficPolicy.loadBalancer.zoneAwareLbSetting"
    ]
    by_load = {"backendUtilization": {"errorUtilizationPenaltyPercent": 50, "weightUpdatePeriod": "1s"}}
    assert warnings("DestinationRule", policy(loadBalancer=by_load)) == [
        "spec.trafficPolicy.loadBalancer.backendUtilization"
    ]
    assert errors("DestinationRule", policy(loadBalancer=by_load)) == []


@pytest.mark.row("DR-17")
def test_distribute_wins_over_labels() -> None:
    setting = {"distribute": [{"from": "*", "to": {"r/*": 100}}], "failoverPriority": ["a"]}
    found = policy(loadBalancer={"localityLbSetting": setting}, outlierDetection={"interval": "1s"})
    assert errors("DestinationRule", found) == []
    assert warnings("DestinationRule", found) == ["spec.trafficPolicy.loadBalancer.localityLbSetting.failoverPriority"]
