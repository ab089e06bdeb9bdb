from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from mizzen.model.proxy import BOTH_FAMILIES, IPV6_ONLY
from mizzen.model.resources import LISTENER, ResourceSet
from mizzen.resolve import view
from mizzen.translate import resources
from tests.scenes import Scene, cluster, listener

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""


def made(families: str, where: str = "shop/web-0") -> ResourceSet:
    scene = Scene(GATEWAY)
    return resources(
        view(scene.snapshot, replace(scene.proxy(where), flags={"IP_FAMILIES": families} if families else {}))
    )


def places(message: Any) -> list[str]:
    return [a.socket_address.address for a in (message.address, *(m.address for m in message.additional_addresses))]


@pytest.mark.row("XD-09")
def test_a_pod_with_ipv6_alone_listens_on_its_wildcard() -> None:
    held = made(IPV6_ONLY)
    assert {"::_80", "virtualOutbound", "virtualInbound"} <= set(held.get(LISTENER))
    for name in ("::_80", "virtualOutbound", "virtualInbound"):
        assert places(listener(held, name)) == ["::"]
    assert cluster(held, "inbound|8080||").upstream_bind_config.source_address.address == "::6"
    assert "::_8080" in {chain.name for chain in listener(held, "virtualInbound").filter_chains}
    assert "::_8080" in made(IPV6_ONLY, "istio-system/edge-0").get(LISTENER)


@pytest.mark.row("OL-24")
def test_a_pod_with_both_listens_on_both_under_the_first_name() -> None:
    held = made(BOTH_FAMILIES)
    for name in ("0.0.0.0_80", "virtualOutbound", "virtualInbound"):
        assert places(listener(held, name)) == ["0.0.0.0", "::"]
    more = cluster(held, "inbound|8080||").upstream_bind_config.extra_source_addresses
    assert [entry.address.address for entry in more] == ["::6"]


def test_ipv4_alone_is_as_ever() -> None:
    held = made("")
    assert places(listener(held, "0.0.0.0_80")) == ["0.0.0.0"]
    assert not cluster(held, "inbound|8080||").upstream_bind_config.extra_source_addresses


BOTH = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.70, clusterIPs: [10.96.0.70, "fd00::70"], selector: {app: db}, ports: [{name: tcp, port: 5432}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: far, namespace: shop}
spec:
  hosts: [far.test]
  addresses: [10.9.0.0/16, "fd09::/32"]
  ports: [{number: 7000, name: tcp, protocol: TCP}]
"""


@pytest.mark.row("OL-24")
@pytest.mark.parametrize(
    ("families", "name", "addresses", "ranges"),
    [
        ("", "10.96.0.70_5432", ["10.96.0.70"], ["10.9.0.0"]),
        (BOTH_FAMILIES, "10.96.0.70_5432", ["10.96.0.70", "fd00::70"], ["10.9.0.0", "fd09::"]),
        (IPV6_ONLY, "fd00::70_5432", ["fd00::70"], ["fd09::"]),
    ],
)
def test_addresses_of_a_service_are_those_that_the_client_can_dial(
    families: str, name: str, addresses: list[str], ranges: list[str]
) -> None:
    scene = Scene(BOTH)
    proxy = replace(scene.proxy(), flags={"IP_FAMILIES": families} if families else {})
    held = resources(view(scene.snapshot, proxy))
    assert places(listener(held, name)) == addresses
    wildcard = listener(held, "::_7000" if families == IPV6_ONLY else "0.0.0.0_7000")
    assert [r.address_prefix for r in wildcard.filter_chains[0].filter_chain_match.prefix_ranges] == ranges
