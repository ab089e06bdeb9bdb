from __future__ import annotations

import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Workload
from mizzen.resolve.selection import container_port, selecting
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
