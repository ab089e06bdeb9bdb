"""Objects on their way into the store."""

from pathlib import Path
from typing import Any

import pytest

from mizzen.lab.admission import APPLIED, Admission
from mizzen.lab.store import Store
from mizzen.model.finding import Level


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "objects")
    labels = {"istio-injection": "enabled"}
    made.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": labels}})
    made.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "plain"}})
    return made


def pod(namespace: str = "default") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": {"containers": [{"name": "c", "image": "curl"}]},
    }


def containers(raw: dict[str, Any]) -> set[str]:
    return {each["name"] for each in [*raw["spec"].get("initContainers", []), *raw["spec"]["containers"]]}


def test_a_pod_is_injected_where_its_namespace_says_so(store: Store) -> None:
    admission = Admission(store, lambda _text: None)
    assert "istio-proxy" in containers(admission.prepare(pod()))
    assert containers(admission.prepare(pod("plain"))) == {"c"}


def test_the_same_pod_applied_again_is_unchanged(store: Store) -> None:
    admission = Admission(store, lambda _text: None)
    first = admission.prepare(pod())
    assert first["metadata"]["annotations"][APPLIED]
    store.put(first)
    assert admission.prepare(pod()) == store.get("Pod", "default", "p")
    other = pod()
    other["spec"]["containers"][0]["args"] = ["other"]
    assert admission.prepare(other)["metadata"]["annotations"][APPLIED] != first["metadata"]["annotations"][APPLIED]


def test_a_finding_says_where_the_document_came_from(store: Store) -> None:
    raw = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "v", "namespace": "default"},
        "spec": {"hosts": "not a list"},
    }
    found = Admission(store, lambda _text: None).findings(raw, {"file": "a.yaml", "line": 7})
    assert found
    assert {(each.file, each.line, each.name) for each in found} <= {("a.yaml", 7, "v"), ("a.yaml", 0, "v")}
    assert Level.ERROR in {each.level for each in found}


def test_the_mesh_config_is_that_of_the_config_map_now(store: Store) -> None:
    admission = Admission(store, lambda _text: None)
    assert admission.mesh().trust_domain == "cluster.local"
    meta = {"name": "istio", "namespace": "istio-system"}
    store.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"mesh": "trustDomain: other.test"}})
    assert admission.mesh().trust_domain == "other.test"


@pytest.mark.row("MN-01")
def test_pods_say_which_cluster_and_which_network_they_are_in(store: Store) -> None:
    labels = {"topology.istio.io/network": "east"}
    store.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system", "labels": labels}})
    stored = Admission(store, lambda _text: None, "c1").prepare(pod())
    [proxy] = [
        c
        for c in [*stored["spec"].get("initContainers", []), *stored["spec"]["containers"]]
        if c["name"] == "istio-proxy"
    ]
    told = {entry["name"]: entry.get("value") for entry in proxy["env"]}
    assert (told["ISTIO_META_CLUSTER_ID"], told["ISTIO_META_NETWORK"]) == ("c1", "east")
    assert stored["metadata"]["labels"]["topology.istio.io/network"] == "east"
