from __future__ import annotations

import pytest

from mizzen.resolve.gateway_api.classes import Deployment, own_name, served
from tests.gateway_world import gateway, world

CLASS = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: %s}
spec: {controllerName: %s}
"""


@pytest.mark.row("GA-02")
def test_a_built_in_class_works_without_its_object_and_any_other_with_our_controller() -> None:
    assert len(served(world(gateway()))) == 1
    other = gateway().replace("gatewayClassName: istio", "gatewayClassName: mine")
    assert served(world(other)) == []
    assert len(served(world(other + CLASS % ("mine", "istio.io/gateway-controller")))) == 1
    assert served(world(other + CLASS % ("mine", "example.com/other"))) == []
    assert served(world(gateway() + CLASS % ("istio", "example.com/other"))) == []


def test_a_deployed_gateway_is_behind_the_service_of_its_own_name() -> None:
    item = served(world(gateway()))[0]
    assert (item.deployment, item.services) == (Deployment.AUTOMATIC, ("gw-istio.shop.svc.cluster.local",))
    named = gateway().replace(
        "creationTimestamp", "annotations: {gateway.istio.io/name-override: edge}, creationTimestamp"
    )
    assert own_name(served(world(named))[0].gateway) == "edge"


def addressed(addresses: str) -> str:
    return gateway().replace("gatewayClassName: istio", f"gatewayClassName: istio\n  addresses: {addresses}")


@pytest.mark.row("GA-05")
@pytest.mark.parametrize(
    ("addresses", "services", "reason"),
    [
        ("[{type: Hostname, value: web}]", ("web.shop.svc.cluster.local",), ""),
        ("[{type: Hostname, value: web.shop.svc.cluster.local}]", ("web.shop.svc.cluster.local",), ""),
        ("[{type: Hostname, value: missing}]", (), "AddressNotUsable"),
        ("[{type: Hostname, value: edge.istio-system.svc.cluster.local}]", (), "AddressNotUsable"),
        ("[{type: Hostname, value: web}, {value: 192.0.2.1}]", ("web.shop.svc.cluster.local",), "UnsupportedAddress"),
    ],
)
def test_an_address_that_is_a_host_name_means_a_service_of_the_namespace(
    addresses: str, services: tuple[str, ...], reason: str
) -> None:
    item = served(world(addressed(addresses)))[0]
    assert item.deployment is Deployment.MANUAL
    assert item.services == services
    assert (item.problem.reason if item.problem else "") == reason


@pytest.mark.row("GA-06")
def test_one_address_that_is_a_number_is_deployed_all_the_same() -> None:
    item = served(world(addressed("[{value: 192.0.2.1}]")))[0]
    assert item.deployment is Deployment.AUTOMATIC


def test_a_remote_gateway_has_no_proxies_here() -> None:
    item = served(world(gateway().replace("gatewayClassName: istio", "gatewayClassName: istio-remote")))[0]
    assert (item.deployment, item.services) == (Deployment.REMOTE, ())
