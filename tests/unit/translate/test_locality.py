"""Failover between localities, and distribution over them."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.destination_rule import LocalityLoadBalancerSetting
from mizzen.model.service import Endpoint, Locality
from mizzen.translate.locality import Client, Priorities, weighs_localities, weights
from tests.meshes import rule

HERE = Locality("r1", "z1", "s1")
PLACES = [
    HERE,
    Locality("r1", "z1", "s2"),
    Locality("r1", "z2", ""),
    Locality("r2", "z3", ""),
    Locality("r3", "z4", ""),
]


def setting(**fields: Any) -> LocalityLoadBalancerSetting:
    body = rule("r", "a", host="x", trafficPolicy={"loadBalancer": {"localityLbSetting": fields}}).body
    found: LocalityLoadBalancerSetting = body.traffic_policy.load_balancer.locality_lb_setting
    return found


def priorities(settings: LocalityLoadBalancerSetting | None, failover: bool = True) -> list[int]:
    members = [Endpoint(address="10.0.0.1", port=80, service_port=80, locality=place) for place in PLACES]
    return Priorities(settings, Client(HERE), failover=failover).of(members)


@pytest.mark.row("DR-20")
def test_the_closest_first_and_only_with_outlier_detection() -> None:
    assert priorities(None) == [0, 1, 2, 3, 3]
    assert priorities(None, failover=False) == [0, 0, 0, 0, 0]


@pytest.mark.row("DR-18")
def test_a_named_region_comes_before_the_others() -> None:
    assert priorities(setting(failover=[{"from": "r1", "to": "r3"}])) == [0, 1, 2, 4, 3]
    assert priorities(setting(failover=[{"from": "r2", "to": "r3"}])) == [0, 1, 2, 3, 3]


@pytest.mark.row("DR-16")
def test_switched_off() -> None:
    assert priorities(setting(enabled=False)) == [0, 0, 0, 0, 0]
    assert not weighs_localities(
        setting(enabled=False, distribute=[{"from": "r1/*", "to": {"r2/*": 100}}]), failover=True
    )


@pytest.mark.row("DR-17")
def test_weights_by_place_and_nothing_where_none_is_named() -> None:
    sizes = dict.fromkeys(PLACES, 1)
    own = setting(distribute=[{"from": "r1/*", "to": {"r1/z1/*": 80, "r2/*": 20}}, {"from": "*", "to": {"r3/*": 100}}])
    assert weights(own, HERE, sizes) == {PLACES[0]: 4000, PLACES[1]: 4000, PLACES[3]: 2000}
    assert weights(own, Locality("r9"), sizes) == {PLACES[4]: 10000}
    assert weights(None, HERE, sizes) == sizes
    assert weights(setting(distribute=[{"from": "r7/*", "to": {"r2/*": 100}}]), HERE, sizes) == sizes
