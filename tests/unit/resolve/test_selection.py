from __future__ import annotations

import pytest
from msgspec.structs import replace

from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Workload
from mizzen.resolve.selection import container_port, leading, selecting
from tests.scenes import Scene


@pytest.mark.row("IL-03")
def test_the_oldest_service_that_selects_a_workload_comes_first() -> None:
    younger = """
apiVersion: v1
kind: Service
metadata: {name: also, namespace: shop, creationTimestamp: "2026-01-02T00:00:00Z"}
spec: {clusterIP: 10.96.0.9, selector: {app: web}, ports: [{name: http, port: 81, targetPort: 8080}]}
"""
    snapshot = Scene(younger).snapshot
    assert [s.name for s in selecting(snapshot, "shop", {"app": "web", "x": "y"})] == ["web", "also"]
    assert list(selecting(snapshot, "other", {"app": "web"})) == []


def test_a_named_target_is_looked_up_in_the_pod() -> None:
    workload = Workload(name="w", namespace="n", address="10.0.0.1", ports=(Port("web", 8080, Protocol.UNSUPPORTED),))
    named = Port("http", 80, Protocol.HTTP, target_name="web")
    assert container_port(named, workload) == 8080
    assert container_port(named, None) == 0
    assert container_port(Port("http", 80, Protocol.HTTP), workload) == 80
    assert container_port(Port("http", 80, Protocol.HTTP, target=81), workload) == 81


MACHINE = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: batch, namespace: shop}
spec:
  hosts: [batch.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{name: http, number: 80, protocol: HTTP, targetPort: 9080}, {name: tcp, number: 90, protocol: TCP}]
  endpoints: [{address: 10.1.0.1}, {address: 10.9.9.9, ports: {tcp: 91}}]
"""


@pytest.mark.row("IL-01", "SE-10")
def test_a_listed_endpoint_at_the_proxys_address_leads_to_it() -> None:
    scene = Scene(MACHINE)
    proxy = replace(scene.proxy(), address="10.9.9.9", labels={})
    found = [(service.hostname, port.number, behind) for service, port, behind in leading(scene.snapshot, proxy)]
    assert found == [("batch.test", 80, 9080), ("batch.test", 90, 91)]
    elsewhere = replace(proxy, namespace="other")
    assert leading(scene.snapshot, elsewhere) == []
