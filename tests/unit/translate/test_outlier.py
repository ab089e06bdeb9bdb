"""``outlierDetection`` on a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.translate import outlier
from tests.meshes import rule


def _made(detection: dict[str, Any] | None, **options: bool) -> dict[str, Any]:
    cluster = cluster_pb2.Cluster()
    policy = {"outlierDetection": detection} if detection is not None else {"loadBalancer": {"simple": "RANDOM"}}
    body = rule("r", "a", host="x", trafficPolicy=policy).body
    outlier.apply(cluster, body.traffic_policy.outlier_detection, **options)
    return MessageToDict(cluster)


@pytest.mark.row("DR-40")
def test_panic_is_off_unless_a_least_health_is_named() -> None:
    assert _made(None) == {"commonLbConfig": {"healthyPanicThreshold": {}}}
    assert _made({})["commonLbConfig"] == {"healthyPanicThreshold": {}}
    assert _made({"minHealthPercent": 40})["commonLbConfig"] == {"healthyPanicThreshold": {"value": 40.0}}
    assert _made({"minHealthPercent": 40}, keeps_unready=True)["commonLbConfig"] == {"healthyPanicThreshold": {}}


@pytest.mark.row("DR-37", "DR-42")
def test_zero_errors_switch_a_kind_of_ejection_off() -> None:
    found = _made({"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 3})["outlierDetection"]
    assert (found["enforcingConsecutive5xx"], found["enforcingConsecutiveGatewayFailure"]) == (0, 100)
    assert (found["consecutiveGatewayFailure"], found["enforcingSuccessRate"]) == (3, 0)


@pytest.mark.row("DR-38")
def test_errors_of_our_own_side_are_counted_apart_only_when_asked() -> None:
    assert "splitExternalLocalOriginErrors" not in _made({"consecutiveLocalOriginFailures": 3})["outlierDetection"]
    found = _made({"splitExternalLocalOriginErrors": True, "consecutiveLocalOriginFailures": 3})["outlierDetection"]
    assert (found["consecutiveLocalOriginFailure"], found["enforcingLocalOriginSuccessRate"]) == (3, 0)
