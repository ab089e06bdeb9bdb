from __future__ import annotations

import pytest

from tests.scenes import Scene

SIDECAR = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: web, namespace: shop}
spec:
  workloadSelector: {labels: {app: web}}
  ingress:
    - {port: {number: 8080, protocol: TCP, name: a}, defaultEndpoint: "127.0.0.1:1"}
    - {port: {number: 8080, protocol: HTTP, name: b}}
    - {port: {number: 15006, protocol: HTTP, name: c}}
    - {port: {number: 7, protocol: HTTP, name: d}, defaultEndpoint: "10.0.0.1:7"}
"""


@pytest.mark.row("SC-05", "PO-03")
def test_exactly_the_listed_ports_are_served() -> None:
    view = Scene(SIDECAR).view()
    assert view.inbound is not None
    found = [(p.port, str(p.protocol), p.service.hostname, p.service_port, p.endpoint) for p in view.inbound.ports]
    assert found == [
        (7, "HTTP", "web.shop", 7, ""),
        (8080, "TCP", "web.shop.svc.cluster.local", 80, "127.0.0.1:1"),
    ]


@pytest.mark.row("SC-01")
def test_other_workloads_keep_their_own_ports() -> None:
    view = Scene(SIDECAR).view("shop/reviews-v1-0")
    assert view.inbound is not None
    assert [(p.port, str(p.protocol)) for p in view.inbound.ports] == [(8080, "HTTP")]
