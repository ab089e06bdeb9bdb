"""Endpoints of a cluster as one assignment."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mizzen.api.destination_rule import LocalityLoadBalancerSetting
from mizzen.model.service import Endpoint, Locality, Workload
from mizzen.translate.endpoints import load_assignment
from mizzen.translate.locality import Client, Preference
from tests.meshes import rule

PLAIN = Preference(LocalityLoadBalancerSetting())
CLOSE = Preference(LocalityLoadBalancerSetting(failover_priority=("topology.kubernetes.io/region",)), forced=True)
HERE = Locality("r1", "z1")


def _assigned(members: list[Endpoint], chosen: Preference = PLAIN, **policy: Any) -> Any:
    traffic = rule("r", "a", host="x", trafficPolicy={"loadBalancer": {}, **policy}).body.traffic_policy
    return load_assignment("c", members, policy=traffic, client=Client(HERE), cluster_id="k", chosen=chosen)


def _addresses(assignment: Any) -> list[str]:
    return [e.endpoint.address.socket_address.address for group in assignment.endpoints for e in group.lb_endpoints]


READY = Endpoint(address="10.0.0.1", port=80, service_port=80, locality=HERE)
UNREADY = Endpoint(address="10.0.0.2", port=80, service_port=80, locality=HERE, healthy=False)
FAR = Endpoint(address="10.0.0.3", port=80, service_port=80, locality=Locality("r2"))


@pytest.mark.row("DR-40")
def test_what_is_not_ready_is_sent_as_unhealthy_but_with_a_least_health() -> None:
    sent = _assigned([READY, UNREADY])
    assert [e.health_status for e in sent.endpoints[0].lb_endpoints] == [1, 2]
    assert _addresses(_assigned([READY, UNREADY], outlierDetection={"minHealthPercent": 50})) == ["10.0.0.1"]
    kept = _assigned([READY, UNREADY], CLOSE, outlierDetection={"minHealthPercent": 50})
    assert _addresses(kept) == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.row("LO-03")
def test_places_matter_only_with_outlier_detection_or_by_force() -> None:
    def priorities(assignment: Any) -> list[int]:
        return [group.priority for group in assignment.endpoints]

    assert priorities(_assigned([READY, FAR])) == [0, 0]
    assert priorities(_assigned([READY, FAR], outlierDetection={})) == [0, 1]
    assert priorities(_assigned([READY, FAR], CLOSE)) == [0, 1]


@pytest.mark.row("DR-15")
def test_equal_endpoints_make_equal_bytes() -> None:
    one, again = _assigned([READY, UNREADY, FAR]), _assigned([READY, UNREADY, FAR])
    assert one.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)


def test_weights_that_are_more_than_envoy_counts_to_keep_their_proportion() -> None:
    weighed = [msgspec.structs.replace(e, weight=w) for e, w in ((READY, 2**32 - 1), (UNREADY, 2**31), (FAR, 0))]
    sent = _assigned(weighed)
    numbers = [e.load_balancing_weight.value for group in sent.endpoints for e in group.lb_endpoints]
    assert sum(group.load_balancing_weight.value for group in sent.endpoints) == sum(numbers) <= 2**32 - 1
    assert numbers[0] == pytest.approx(2 * numbers[1])
    assert numbers[2] == 1


def test_mesh_endpoints_are_marked_and_pipes_understood() -> None:
    workload = Workload(name="w", namespace="a", address="10.0.0.1", workload_name="web", canonical_name="web")
    meshed = Endpoint(address="10.0.0.1", port=80, service_port=80, tls_mode="istio", workload=workload)
    [group] = _assigned([meshed]).endpoints
    facts = group.lb_endpoints[0].metadata.filter_metadata
    assert facts["envoy.transport_socket_match"]["tlsMode"] == "istio"
    assert facts["istio"]["workload"] == "web;a;web;;k"
    [pipe] = _assigned([Endpoint(address="unix:///x", port=0, service_port=80)]).endpoints
    assert pipe.lb_endpoints[0].endpoint.address.pipe.path == "/x"
