from __future__ import annotations

from typing import Any

import pytest

from mizzen.model.resources import ROUTE
from mizzen.translate.patches.routes import patched as patch_routes
from tests.scenes import route
from tests.unit.translate.patches.patching import change, patch, patched, statuses

HOST = "reviews.shop.svc.cluster.local:80"
TEAPOT = {"name": "teapot", "match": {"path": "/t"}, "direct_response": {"status": 418}}
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
    - {port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}
    - {port: {number: 443, name: tls, protocol: HTTPS}, hosts: [a.com], tls: {mode: SIMPLE, credentialName: c}}
"""
MARK: dict[str, Any] = {"request_headers_to_remove": ["hit"]}


def names(made: Any, host: str = HOST) -> list[str]:
    found = {h.name: h for h in route(made, "80").virtual_hosts}
    return [r.name for r in found[host].routes]


@pytest.mark.row("EF-05", "EF-13")
@pytest.mark.parametrize(
    ("operation", "match", "expected"),
    [
        ("ADD", {}, ["default", "teapot"]),
        ("INSERT_FIRST", {}, ["teapot", "default"]),
        ("INSERT_BEFORE", {"name": "default"}, ["teapot", "default"]),
        ("INSERT_AFTER", {"action": "ROUTE"}, ["default", "teapot"]),
        ("INSERT_BEFORE", {"action": "REDIRECT"}, ["default"]),
        ("INSERT_FIRST", {"name": "gone"}, ["default"]),
        ("REPLACE", {"name": "default"}, ["default"]),
        ("REMOVE", {"name": "default"}, []),
    ],
)
def test_routes(operation: str, match: dict[str, str], expected: list[str]) -> None:
    where = {"portNumber": 80, "vhost": {"name": HOST, "route": match}}
    made = patched(patch("HTTP_ROUTE", operation, TEAPOT, context="SIDECAR_OUTBOUND", routeConfiguration=where))
    assert names(made) == expected


@pytest.mark.row("EF-02", "EF-05", "EF-12", "EF-14")
def test_virtual_hosts_are_merged_before_others_are_added_behind_allow_any() -> None:
    context = "SIDECAR_OUTBOUND"
    made = patched(
        patch("VIRTUAL_HOST", "ADD", {"name": "mine", "domains": ["mine"]}, context=context),
        patch("VIRTUAL_HOST", "MERGE", MARK, context=context, routeConfiguration={"vhost": {"domainName": "reviews"}}),
        patch(
            "VIRTUAL_HOST",
            "REMOVE",
            context=context,
            routeConfiguration={"vhost": {"name": "web.shop.svc.cluster.local:80"}},
        ),
        patch(
            "VIRTUAL_HOST",
            "REPLACE",
            {"name": "r", "domains": ["r"]},
            context=context,
            routeConfiguration={"vhost": {"name": "ratings.shop.svc.cluster.local:80"}},
        ),
    )
    hosts = {h.name: h for h in route(made, "80").virtual_hosts}
    assert list(hosts)[1:] == ["r", HOST, "allow_any", "mine"]
    assert list(hosts[HOST].request_headers_to_remove) == ["hit"]
    assert not hosts["mine"].request_headers_to_remove
    assert statuses(made) == ["applied"] * 4


@pytest.mark.row("EF-05")
def test_inbound_routes_go_by_the_container_port() -> None:
    def of(port: int) -> list[str]:
        where = {"portNumber": port}
        return statuses(
            patched(patch("ROUTE_CONFIGURATION", "MERGE", MARK, context="SIDECAR_INBOUND", routeConfiguration=where))
        )

    assert of(8080) == ["applied"]
    assert of(80) == ["matched nothing"]


@pytest.mark.row("EF-05", "GW-04")
@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"portNumber": 80}, ["http.8080"]),
        ({"portNumber": 443}, ["https.443.tls.gw.istio-system"]),
        ({"portName": "tls"}, ["https.443.tls.gw.istio-system"]),
        ({"gateway": "istio-system/gw"}, ["https.443.tls.gw.istio-system"]),
        ({"gateway": "shop/gw"}, []),
        ({"name": "http.8080"}, ["http.8080"]),
        ({}, ["http.8080", "https.443.tls.gw.istio-system"]),
    ],
)
def test_gateway_routes_go_by_the_port_as_written(match: dict[str, object], expected: list[str]) -> None:
    made = patched(
        patch("ROUTE_CONFIGURATION", "MERGE", MARK, context="GATEWAY", routeConfiguration=match),
        where="istio-system/edge-0",
        more=GATEWAY,
    )
    hit = [name for name in made.get(ROUTE) if list(route(made, name).request_headers_to_remove) == ["hit"]]
    assert hit == expected


def test_a_configuration_that_no_patch_hits_stays_the_same_object() -> None:
    made = patched(patch("CLUSTER", "REMOVE", cluster={"name": "gone"}))
    one = change(patch("HTTP_ROUTE", "ADD", TEAPOT, routeConfiguration={"name": "81"}))
    found = list(patch_routes(made.get(ROUTE), [one], router=False, ports={}))
    assert all(r is made.get(ROUTE)[r.name] for r in found)
