from __future__ import annotations

import pytest

from mizzen.model.finding import REJECTED
from tests.scenes import Scene

OLD = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: old, namespace: shop, creationTimestamp: "2026-01-01T00:00:01Z"}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.com, b.com], tls: {mode: PASSTHROUGH}}
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
---
"""
YOUNG = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: young, namespace: bank, creationTimestamp: "2026-01-01T00:00:02Z"}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["c.com"]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [b.com], tls: {mode: PASSTHROUGH}}
  - {port: {number: 80, name: tcp, protocol: TCP}, hosts: ["*"]}
  - {port: {number: 80, name: tls, protocol: TLS}, hosts: ["d.com"], tls: {mode: PASSTHROUGH}}
"""


@pytest.mark.row("GW-25")
def test_each_server_that_is_left_out_is_told_to_its_owner() -> None:
    found = sorted((f.field, f.message) for f in Scene(OLD + YOUNG).edge().findings)
    assert found == [
        (
            "spec.servers[1]",
            "this server is left out on port 8443: the host b.com belongs to the Gateway shop/old on this port",
        ),
        ("spec.servers[2]", "this server is left out on port 8080: an older server takes the port for HTTP"),
        (
            "spec.servers[3]",
            "this server is left out on port 8080: an older server takes the port for HTTP without TLS",
        ),
    ]
    assert {(f.code, f.kind, f.namespace, f.name) for f in Scene(OLD + YOUNG).edge().findings} == {
        (REJECTED, "Gateway", "bank", "young")
    }


@pytest.mark.row("GW-25")
def test_without_conflict_there_is_nothing_to_tell_and_sidecars_are_never_told() -> None:
    assert Scene(OLD).edge().findings == ()
    assert Scene(OLD + YOUNG).resources("shop/web-0").findings == ()
