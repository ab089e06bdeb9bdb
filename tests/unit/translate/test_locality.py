"""Failover between localities, and distribution over them."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.destination_rule import (
    Failover,
    LoadBalancerSettings,
    LocalityLoadBalancerSetting,
    TrafficPolicy,
    ZoneAwareLbSetting,
)
from mizzen.api.mesh_config import MeshConfig
from mizzen.model.service import Endpoint, Locality, Service, Workload
from mizzen.translate.locality import Client, Preference, Priorities, label_keys, preference, weighs_localities, weights
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


def chosen(settings: LocalityLoadBalancerSetting | None, distribution: str = "", **mesh: Any) -> Preference:
    balancer = LoadBalancerSettings(locality_lb_setting=settings) if settings is not None else None
    service = Service(hostname="x", name="x", namespace="a", ports=(), traffic_distribution=distribution)
    return preference(TrafficPolicy(load_balancer=balancer), service, MeshConfig(**mesh))


def priorities(settings: LocalityLoadBalancerSetting | None, failover: bool = True) -> list[int]:
    members = [Endpoint(address="10.0.0.1", port=80, service_port=80, locality=place) for place in PLACES]
    return Priorities(chosen(settings), Client(HERE), cluster_id="c", failover=failover).of(members)


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
        chosen(setting(enabled=False, distribute=[{"from": "r1/*", "to": {"r2/*": 100}}])), failover=True
    )


@pytest.mark.row("DR-17")
def test_weights_by_place_and_nothing_where_none_is_named() -> None:
    sizes = dict.fromkeys(PLACES, 1)
    own = chosen(
        setting(distribute=[{"from": "r1/*", "to": {"r1/z1/*": 75, "r2/*": 25}}, {"from": "*", "to": {"r3/*": 100}}])
    )
    assert weights(own, HERE, sizes) == {PLACES[0]: 38, PLACES[1]: 38, PLACES[3]: 25}
    assert weights(own, Locality("r9"), sizes) == {PLACES[4]: 100}
    assert weights(chosen(None), HERE, sizes) == sizes
    assert weights(chosen(setting(distribute=[{"from": "r7/*", "to": {"r2/*": 100}}])), HERE, sizes) == sizes


@pytest.mark.row("LO-04")
def test_several_places_share_a_weight_by_their_own() -> None:
    own = chosen(setting(distribute=[{"from": "*", "to": {"r1/*": 90, "r2/*": 10}}]))
    sizes = {PLACES[0]: 2, PLACES[2]: 1, PLACES[3]: 5}
    assert weights(own, HERE, sizes) == {PLACES[0]: 60, PLACES[2]: 30, PLACES[3]: 10}


@pytest.mark.row("LO-02", "DR-16")
def test_the_first_of_rule_service_and_mesh_counts_whole() -> None:
    own, mesh = setting(failover=[{"from": "r1", "to": "r2"}]), setting(failover=[{"from": "r1", "to": "r3"}])
    zones = ZoneAwareLbSetting(min_cluster_size=3)
    assert chosen(own, "PreferClose", locality_lb_setting=mesh).setting is own
    close = chosen(None, "PreferClose", locality_lb_setting=mesh, zone_aware_lb_setting=zones)
    assert close.forced
    assert close.failover_priority[0] == "topology.istio.io/network"
    assert chosen(None, "", locality_lb_setting=mesh, zone_aware_lb_setting=zones).zones is zones
    assert chosen(None, "", locality_lb_setting=mesh).setting is mesh
    assert chosen(setting(enabled=False), "PreferClose", locality_lb_setting=mesh) == Preference()
    assert chosen(None, "", locality_lb_setting=setting(enabled=False)) == Preference()
    # A rule's block counts as on although the mesh is off, and hides what the mesh says.
    on = chosen(setting(), "", locality_lb_setting=setting(enabled=False))
    assert on.setting is not None
    assert not on.failover


def member(place: Locality, node: str = "", network: str = "", **labels: str) -> Endpoint:
    workload = Workload(name="w", namespace="a", address="10.0.0.1", node_name=node, network=network)
    facts = {"locality": place, "workload": workload, "labels": labels, "network": network}
    return Endpoint(address="10.0.0.1", port=80, service_port=80, **facts)  # type: ignore[arg-type]


def ordered(found: Preference, members: list[Endpoint], **labels: str) -> list[int]:
    return Priorities(found, Client(HERE, labels), cluster_id="c", failover=False).of(members)


@pytest.mark.row("LO-02", "OL-15")
def test_a_service_s_own_distribution_needs_no_outlier_detection() -> None:
    members = [member(place) for place in PLACES]
    assert ordered(chosen(None, "PreferClose"), members) == [0, 0, 1, 2, 2]
    assert ordered(chosen(None, "PreferSameZone"), members) == [0, 0, 1, 2, 2]
    assert ordered(chosen(None), members) == [0, 0, 0, 0, 0]
    here = {"kubernetes.io/hostname": "n1"}
    near = [member(HERE, "n1"), member(HERE, "n2"), member(PLACES[3], "n3")]
    assert ordered(chosen(None, "PreferSameNode"), near, **here) == [0, 1, 2]
    assert ordered(chosen(None, "PreferSameNode"), members, **here) == [0, 1, 2, 3, 3], "the subzone counts there"
    assert not weighs_localities(chosen(None, "PreferClose"), failover=False)


@pytest.mark.row("LO-05", "DR-19")
def test_labels_network_and_cluster_are_compared_in_their_order() -> None:
    def failover(*keys: str) -> Preference:
        return Preference(setting(failoverPriority=list(keys)), forced=True)

    members = [member(HERE, version="v1"), member(HERE, version="v2"), member(HERE)]
    assert ordered(failover("version"), members, version="v2") == [1, 0, 1]
    assert ordered(failover("version=v1"), members, version="v2") == [0, 1, 1]
    network, cluster = "topology.istio.io/network", "topology.istio.io/cluster"
    nets = [
        member(HERE, network="n1", version="v1"),
        member(HERE, network="n2", version="v2"),
        member(HERE, network="n2", version="v1"),
    ]
    found = failover(network, "version")
    # A mismatch of the network adds the list's length, and the rest is still compared.
    assert ordered(found, nets, **{network: "n1", "version": "v1"}) == [0, 2, 1]
    assert ordered(failover(cluster, "version"), nets, **{cluster: "c", "version": "v1"}) == [0, 1, 0]
    assert ordered(failover(cluster, "version"), nets, **{cluster: "other", "version": "v1"}) == [0, 0, 0]
    assert ordered(
        failover("a", "b", "c"),
        [member(HERE, a="1", b="1", c="2"), member(HERE, a="1", b="2", c="1"), member(HERE, a="2")],
        a="1",
        b="1",
        c="1",
    ) == [0, 1, 2]


@pytest.mark.row("LO-05")
def test_labels_and_a_named_region_combine() -> None:
    both = Preference(setting(failoverPriority=["version"], failover=[{"from": "r1", "to": "r3"}]), forced=True)
    members = [member(PLACES[3], version="v1"), member(PLACES[4], version="v1"), member(HERE, version="v2")]
    assert ordered(both, members, version="v1") == [1, 0, 2]


@pytest.mark.row("DR-21")
def test_zones_put_the_own_region_first_without_outlier_detection() -> None:
    members = [member(place) for place in PLACES]
    assert ordered(Preference(zones=ZoneAwareLbSetting(), forced=True), members) == [0, 0, 0, 1, 1]
    to = Preference(zones=ZoneAwareLbSetting(failover=(Failover(from_="r1", to="r3"),)), forced=True)
    assert ordered(to, members) == [0, 0, 0, 2, 1]
    assert ordered(Preference(zones=ZoneAwareLbSetting(enabled=False), forced=True), members) == [0] * 5


@pytest.mark.row("DR-19")
def test_the_labels_that_are_read() -> None:
    body = rule(
        "r", "a", host="x", trafficPolicy={"loadBalancer": {"localityLbSetting": {"failoverPriority": ["a=1", "b"]}}}
    )
    plain = Service(hostname="x", name="x", namespace="a", ports=())
    assert label_keys(body.body, plain, MeshConfig()) == {"a", "b"}
    node = Service(hostname="x", name="x", namespace="a", ports=(), traffic_distribution="PreferSameNode")
    assert "kubernetes.io/hostname" in label_keys(None, node, MeshConfig())
