from __future__ import annotations

import json

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh

POD = {
    "namespace": "default",
    "name": "reviews-x",
    "workload": "reviews",
    "ip": "10.1.0.5",
    "phase": "Running",
    "ready": True,
    "restarts": 0,
    "node_id": "sidecar~10.1.0.5~reviews-x.default~default.svc.cluster.local",
    "pids": {"app": 1, "agent": 2, "envoy": 3},
    "identity": "spiffe://cluster.local/ns/default/sa/reviews",
    "cert_expires": "2026-01-02T00:00:00Z",
}


def test_json_is_the_supervisors_document(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.status["pods"] = [POD, {**POD, "namespace": "shop"}]
    assert json.loads(mizzen("ps", "-o", "json").out) == mesh.status
    assert [pod["namespace"] for pod in json.loads(mizzen("ps", "-n", "shop", "-o", "json").out)["pods"]] == ["shop"]


def test_the_table_tells_readiness_identity_and_where_the_gateway_is(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.status |= {
        "pods": [POD, {**POD, "name": "plain", "ready": False, "identity": None, "cert_expires": None}],
        "controlplane": {"pid": 42, "ready": True, "addresses": []},
        "gateways": [{"name": "istio-ingressgateway", "ip": "10.1.0.9", "ports": [80, 443], "localhost": {"80": 8080}}],
    }
    out = mizzen("ps").out
    assert (
        "default     reviews-x   yes     Running   0          10.1.0.5   spiffe://cluster.local/ns/default/sa/reviews"
        in out
    )
    assert "plain       no      Running" in out
    assert "mesh default: control plane ready (process 42), state in running" in out
    assert "gateway istio-ingressgateway: 10.1.0.9 ports 80, 443; 127.0.0.1:8080 -> 80" in out
