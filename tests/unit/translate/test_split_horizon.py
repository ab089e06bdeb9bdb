"""What a client dials for endpoints of its own network, of others, and of none."""

from typing import Any

import pytest
from msgspec.structs import replace

from mizzen.api.destination_rule import ClientTLSSettings, TrafficPolicy
from mizzen.model.networks import NetworkGateway, Networks
from mizzen.model.proxy import ProxyType
from mizzen.model.service import Endpoint, Locality, Workload
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import Scope
from mizzen.translate.split_horizon import NOWHERE, Vantage, once, reachable

GATEWAYS = Networks(
    (
        NetworkGateway("east", "", "5.5.5.1", 15443),
        NetworkGateway("west", "", "6.6.6.1", 15443),
        NetworkGateway("west", "", "6.6.6.2", 443),
    )
)
POLICY = TrafficPolicy()


def endpoint(address: str, network: str = "", **facts: Any) -> Endpoint:
    facts.setdefault("tls_mode", "istio")
    return Endpoint(address=address, port=80, service_port=80, network=network, **facts)


def seen(
    vantage: Vantage, *endpoints: Endpoint, policy: TrafficPolicy = POLICY, auto_mtls: bool = True
) -> list[tuple[str, int, int]]:
    return [(e.address, e.port, e.weight) for e in reachable(vantage, endpoints, policy, auto_mtls=auto_mtls)]


@pytest.mark.row("MN-03")
def test_without_a_gateway_everything_is_dialled() -> None:
    assert seen(NOWHERE, endpoint("10.0.0.1", "east"), endpoint("", "west")) == [("10.0.0.1", 80, 0)]


@pytest.mark.row("MN-03")
def test_endpoints_of_another_network_are_its_gateways_with_their_weights_together() -> None:
    found = seen(
        Vantage(GATEWAYS, "east"),
        endpoint("10.0.0.1", "east", weight=3),
        endpoint("10.0.0.2"),
        endpoint("10.0.0.3", "west", weight=4),
        endpoint("", "west"),
        endpoint("10.0.0.4", "north"),
    )
    assert found == [
        ("10.0.0.1", 80, 6),
        ("10.0.0.2", 80, 2),
        ("10.0.0.4", 80, 2),
        ("6.6.6.1", 15443, 5),
        ("6.6.6.2", 443, 5),
    ]


@pytest.mark.row("MN-03")
def test_a_client_of_no_network_goes_through_the_gateway() -> None:
    assert seen(Vantage(GATEWAYS), endpoint("10.0.0.1", "east")) == [("5.5.5.1", 15443, 2)]


@pytest.mark.row("MN-03")
def test_what_takes_no_mesh_tls_is_left_out() -> None:
    far, near = endpoint("10.0.0.3", "west", tls_mode="disabled"), endpoint("10.0.0.1", "east", tls_mode="disabled")
    vantage = Vantage(GATEWAYS, "east")
    assert seen(vantage, far, near) == [("10.0.0.1", 80, 2)]
    for mode, passes in (("DISABLE", False), ("SIMPLE", False), ("ISTIO_MUTUAL", True)):
        rule = TrafficPolicy(tls=ClientTLSSettings(mode=mode))
        assert bool(seen(vantage, far, policy=rule)) is passes
    assert seen(vantage, endpoint("10.0.0.3", "west"), auto_mtls=False) == []


@pytest.mark.row("MN-03", "MN-04")
def test_a_view_leaves_out_all_other_networks() -> None:
    every = (endpoint("10.0.0.1", "east"), endpoint("10.0.0.2"), endpoint("10.0.0.3", "west"))
    assert [a for a, _, _ in seen(Vantage(GATEWAYS, "east", ("east",)), *every)] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.row("MN-03")
@pytest.mark.parametrize(
    ("families", "addresses"), [("", {"5.5.5.5"}), ("IPv6", {"2001:db8::5"}), ("IPv4,IPv6", {"5.5.5.5", "2001:db8::5"})]
)
def test_a_gateway_counts_for_clients_of_its_address_s_family(families: str, addresses: set[str]) -> None:
    gateways = tuple(NetworkGateway("east", "", address, 15443) for address in ("2001:db8::5", "5.5.5.5"))
    scope = Scope(
        key="",
        snapshot=Snapshot(networks=Networks(gateways)),
        proxy_type=ProxyType.SIDECAR,
        namespace="shop",
        network="west",
        flags={"REQUESTED_NETWORK_VIEW": "west, east", **({"IP_FAMILIES": families} if families else {})},
    )
    vantage = Vantage.of(scope)
    assert {gateway.address for gateway in vantage.networks.gateways} == addresses
    assert (vantage.network, vantage.view) == ("west", ("east", "west"))


@pytest.mark.row("MN-03")
def test_a_gateway_is_marked_for_mesh_tls_and_is_as_healthy_as_what_is_behind_it() -> None:
    [well] = reachable(
        Vantage(GATEWAYS, "west"),
        [endpoint("10.0.0.1", "east"), endpoint("10.0.0.2", "east", healthy=False, weight=9)],
        POLICY,
        auto_mtls=True,
    )
    assert (well.tls_mode, well.healthy, well.weight) == ("istio", True, 2)
    assert well.labels == {"topology.istio.io/network": "east"}
    [ill] = reachable(Vantage(GATEWAYS, "west"), [endpoint("a", "east", healthy=False)], POLICY, auto_mtls=True)
    assert (ill.healthy, ill.weight) == (False, 2)


@pytest.mark.row("OL-19")
def test_metrics_know_the_server_behind_a_gateway_when_there_is_one_workload_alone() -> None:
    def behind(*names: str) -> str:
        found = [
            endpoint(
                f"10.0.0.{n}",
                "east",
                workload=Workload(name=f"{name}-{n}", namespace="s", address="a", workload_name=name),
            )
            for n, name in enumerate(names)
        ]
        [gateway] = reachable(Vantage(GATEWAYS, "west"), found, POLICY, auto_mtls=True)
        return gateway.workload.workload_name if gateway.workload is not None else ""

    assert behind("v1", "v1") == "v1"
    assert behind("v1", "v2") == ""


@pytest.mark.row("MN-03")
def test_each_locality_has_its_own_and_an_address_is_given_once() -> None:
    near, far = Locality("r1"), Locality("r2")
    found = reachable(
        Vantage(GATEWAYS, "west"),
        [endpoint("a", "east", locality=near), endpoint("b", "east", locality=far, weight=2)],
        POLICY,
        auto_mtls=True,
    )
    assert [(e.locality, e.weight) for e in found] == [(near, 2), (far, 4)]
    assert [(e.locality, e.weight, p) for e, p in once(found, [0, 0])] == [(near, 6, 0)]
    assert [(e.locality, e.weight, p) for e, p in once(found, [1, 0])] == [(far, 4, 0)]


@pytest.mark.row("MN-03")
@pytest.mark.parametrize("first", [True, False])
def test_of_one_address_the_healthy_counts(first: bool) -> None:
    both = [replace(endpoint("a", weight=n), healthy=healthy) for n, healthy in ((2, first), (3, not first))]
    [(found, _)] = once(both, [0, 0])
    assert (found.healthy, found.weight) == (True, 2 if first else 3)
