"""Pods and entries become workloads."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.service import Locality
from mizzen.resolve.workloads import canonical, workloads
from tests.meshes import NETWORKING, new


def pod(name: str, status: dict[str, Any], labels: dict[str, str] | None = None, **spec: Any) -> Object:
    body = {"serviceAccountName": "web", "nodeName": "n", "containers": [{"name": "a", "image": "x"}], **spec}
    return new("v1", "Pod", "a", name, body, meta={"labels": labels or {}}, status=status)


def found(*objects: Object) -> dict[str, Any]:
    config = Config().with_objects(objects)
    return workloads(config.of("Pod"), config.of("WorkloadEntry"), config.of("Node"), MeshConfig(trust_domain="td"))


def test_pods_with_an_address_of_their_own_that_still_run() -> None:
    running = {"podIP": "10.1.0.1", "phase": "Running"}
    assert list(found(pod("p", running))) == ["10.1.0.1"]
    assert found(pod("p", {"phase": "Pending"})) == {}
    assert found(pod("p", {**running, "phase": "Succeeded"})) == {}
    assert found(pod("p", running, hostNetwork=True)) == {}


@pytest.mark.row("OL-19")
def test_names_identity_and_place() -> None:
    node = new(
        "v1",
        "Node",
        "",
        "n",
        {},
        meta={"labels": {"topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "z"}},
    )
    status = {"podIP": "10.1.0.1", "phase": "Running"}
    labels = {"app": "web", "version": "v1", "security.istio.io/tlsMode": "istio"}
    workload = found(node, pod("web-0", status, labels))["10.1.0.1"]
    assert (workload.workload_name, workload.canonical_name, workload.canonical_revision) == ("web-0", "web", "v1")
    assert workload.identity.uri == "spiffe://td/ns/a/sa/web"
    assert (workload.locality, workload.tls_mode) == (Locality("r", "z", ""), "istio")
    own = found(node, pod("web-0", status, {"istio-locality": "r9.z9.s9"}))["10.1.0.1"]
    assert (own.locality, own.tls_mode) == (Locality("r9", "z9", "s9"), "disabled")


def test_entries() -> None:
    spec = {"address": "192.0.2.1", "serviceAccount": "vm", "locality": "r/z", "labels": {"app": "vm"}}
    workload = found(new(NETWORKING, "WorkloadEntry", "a", "vm-1", spec))["192.0.2.1"]
    assert (workload.workload_name, workload.canonical_name) == ("vm-1", "vm")
    assert workload.identity.uri == "spiffe://td/ns/a/sa/vm"
    assert workload.locality == Locality("r", "z", "")


@pytest.mark.row("IP-06")
def test_canonical_names_by_label() -> None:
    assert canonical({}, "own") == ("own", "latest")
    assert canonical({"app": "a", "app.kubernetes.io/name": "b", "version": "1"}, "own") == ("b", "1")


@pytest.mark.row("WE-08")
@pytest.mark.parametrize(
    ("annotations", "conditions", "ready"),
    [
        ({}, [], True),
        ({}, [{"type": "Healthy", "status": "False"}], True),
        ({"proxy.istio.io/health-checks-enabled": "true"}, [], False),
        ({"proxy.istio.io/health-checks-enabled": "true"}, [{"type": "Ready", "status": "True"}], False),
        ({"proxy.istio.io/health-checks-enabled": "true"}, [{"type": "Healthy", "status": "False"}], False),
        ({"proxy.istio.io/health-checks-enabled": "true"}, [{"type": "Healthy", "status": "True"}], True),
    ],
)
def test_an_entry_whose_health_is_checked_is_ready_only_while_it_is_healthy(
    annotations: dict[str, str], conditions: list[dict[str, str]], ready: bool
) -> None:
    spec, status = {"address": "1.2.3.4"}, {"conditions": conditions}
    entry = new(NETWORKING, "WorkloadEntry", "a", "vm", spec, meta={"annotations": annotations}, status=status)
    assert found(entry)["1.2.3.4"].ready is ready
