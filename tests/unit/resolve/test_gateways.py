from __future__ import annotations

import pytest

from mizzen.resolve.gateways import bound_ports, gateway_ports, gateways_of
from tests.scenes import Scene


def bound(name: str, services: str) -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: istio-system, annotations: {{internal.istio.io/gateway-service: "{services}"}}}}
spec: {{servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}]}}
"""


MINE = "edge.istio-system.svc.cluster.local"
SECOND = """
---
apiVersion: v1
kind: Service
metadata: {name: second, namespace: istio-system}
spec: {clusterIP: 10.96.0.99, selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 8888}]}
"""
SELECTED = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: selected, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
"""


@pytest.mark.row("GW-02")
def test_a_gateway_is_served_by_label_or_by_the_services_it_names() -> None:
    scene = Scene(bound("mine", f"other, {MINE}") + bound("theirs", "edge.elsewhere.svc.cluster.local") + SELECTED)
    proxy = scene.proxy("istio-system/edge-0")
    assert [obj.name for obj in gateways_of(scene.snapshot, proxy)] == ["mine", "selected"]
    assert list(gateways_of(scene.snapshot, scene.proxy())) == []


@pytest.mark.row("GW-02")
def test_ports_are_those_of_the_services_that_a_gateway_names() -> None:
    scene = Scene(SECOND + bound("first", MINE) + bound("other", "second.istio-system.svc.cluster.local"))
    proxy = scene.proxy("istio-system/edge-0")
    gateways = list(gateways_of(scene.snapshot, proxy))
    assert bound_ports(scene.snapshot, proxy, gateways) == {
        "istio-system/first": {80: 8080, 443: 8443},
        "istio-system/other": {80: 8888},
    }
    assert gateway_ports(scene.snapshot, proxy)[443] == 8443
