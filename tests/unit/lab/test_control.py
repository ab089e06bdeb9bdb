"""Controllers over a real store; pods never run here, their statuses are written by the test."""

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from mizzen.lab.control import Controllers
from mizzen.lab.network import Subnets
from mizzen.lab.store import Store

Raw = dict[str, Any]
TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]},
}


class Lab:
    def __init__(self, directory: Path) -> None:
        self.store = Store(directory)
        self.trust: dict[str, str] = {}
        self.controllers = Controllers(
            self.store,
            Subnets(IPv4Network("10.9.0.0/16")),
            "node",
            lambda pod: pod,
            lambda name: self.trust.get(name, ""),
        )

    def settle(self) -> None:
        for _ in range(20):
            before = self.store.revision
            self.controllers.step()
            if self.store.revision == before:
                return
        pytest.fail("the controllers never come to rest")

    def pods(self) -> list[Raw]:
        return self.store.list("Pod", "default")

    def start(self) -> None:
        """Every pod that was made becomes ready, every pod that leaves is gone."""
        for number, pod in enumerate(self.pods()):
            if pod["metadata"].get("deletionTimestamp"):
                self.store.delete("Pod", "default", pod["metadata"]["name"])
            else:
                status = {
                    "phase": "Running",
                    "podIP": f"10.9.1.{number}",
                    "conditions": [{"type": "Ready", "status": "True"}],
                }
                self.store.put_status(pod, pod.get("status") or status)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def workload(kind: str, replicas: int = 2, **spec: Any) -> Raw:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "template": TEMPLATE, **spec},
    }


async def test_a_deployment_runs_rolls_and_goes(lab: Lab) -> None:
    lab.store.put(workload("Deployment"))
    lab.settle()
    lab.start()
    lab.settle()
    before = {p["metadata"]["name"] for p in lab.pods()}
    assert len(before) == 2
    changed = {**TEMPLATE, "metadata": {"labels": {"app": "web", "version": "2"}}}
    lab.store.put(workload("Deployment", template=changed))
    for _ in range(10):
        lab.settle()
        lab.start()
        ready = [p for p in lab.pods() if not p["metadata"].get("deletionTimestamp")]
        assert len(ready) >= 2
    after = {p["metadata"]["name"] for p in lab.pods()}
    assert len(after) == 2
    assert not after & before
    assert len(lab.store.list("ReplicaSet")) == 1
    lab.store.delete("Deployment", "default", "web")
    lab.settle()
    lab.start()
    lab.settle()
    assert lab.pods() == []


async def test_a_stateful_set_starts_one_after_the_other(lab: Lab) -> None:
    lab.store.put(workload("StatefulSet"))
    lab.settle()
    assert [p["metadata"]["name"] for p in lab.pods()] == ["web-0"]
    lab.start()
    lab.settle()
    assert [p["metadata"]["name"] for p in lab.pods()] == ["web-0", "web-1"]


async def test_a_job_ends(lab: Lab) -> None:
    lab.store.put(workload("Job"))
    lab.settle()
    pod = lab.pods()[0]
    lab.store.put_status(pod, {"phase": "Succeeded"})
    lab.settle()
    job = lab.store.get("Job", "default", "web")
    assert job is not None
    assert job["status"]["conditions"] == [{"type": "Complete", "status": "True"}]
    assert len(lab.pods()) == 1


async def test_services_get_addresses_and_endpoints(lab: Lab) -> None:
    lab.store.put(workload("Deployment"))
    lab.store.put(
        {"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    )
    lab.settle()
    lab.start()
    lab.settle()
    service = lab.store.get("Service", "default", "web")
    assert service is not None
    assert service["spec"]["clusterIP"].startswith("10.9.128.")
    assert len(lab.store.list("EndpointSlice")[0]["endpoints"]) == 2


async def test_every_namespace_gets_the_root_certificate_when_there_is_one(lab: Lab) -> None:
    lab.store.put({"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}})
    lab.settle()
    assert lab.store.get("ConfigMap", "shop", "istio-ca-root-cert") is None
    lab.trust["root-cert.pem"] = "PEM"
    lab.settle()
    found = lab.store.get("ConfigMap", "shop", "istio-ca-root-cert")
    assert found is not None
    assert found["data"] == {"root-cert.pem": "PEM"}


@pytest.mark.row("IG-06")
def test_an_ingress_of_ours_is_told_where_the_gateway_is(lab: Lab) -> None:
    def ingress(name: str, of: str) -> Raw:
        meta = {"name": name, "namespace": "default", "annotations": {"kubernetes.io/ingress.class": of}}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": {}}

    meta = {"name": "istio-ingressgateway", "namespace": "istio-system"}
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    lab.store.put({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    lab.store.put(ingress("mine", "istio"))
    lab.store.put(ingress("other", "nginx"))
    lab.settle()
    address = (lab.store.get("Service", "istio-system", "istio-ingressgateway") or {})["spec"]["clusterIP"]
    mine, other = (lab.store.get("Ingress", "default", name) or {} for name in ("mine", "other"))
    assert mine["status"] == {"loadBalancer": {"ingress": [{"ip": address}]}}
    assert "status" not in other
    lab.store.delete("Service", "istio-system", "istio-ingressgateway")
    lab.settle()
    assert (lab.store.get("Ingress", "default", "mine") or {})["status"] == {"loadBalancer": {"ingress": []}}


@pytest.mark.row("CR-05")
def test_the_roots_come_back_when_they_are_deleted_or_edited(lab: Lab) -> None:
    lab.trust["root-cert.pem"] = "PEM"
    for name in ("shop", "kube-public", "kube-node-lease", "local-path-storage"):
        lab.store.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        lab.store.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x", "namespace": name}})
    lab.settle()
    holders = {raw["metadata"]["namespace"] for raw in lab.store.list("ConfigMap")}
    assert holders == {"default", "istio-system", "kube-system", "shop"}
    lab.store.delete("ConfigMap", "shop", "istio-ca-root-cert")
    meta = {"name": "istio-ca-root-cert", "namespace": "default"}
    lab.store.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"root-cert.pem": "forged"}})
    lab.settle()
    for name in ("shop", "default"):
        found = lab.store.get("ConfigMap", name, "istio-ca-root-cert")
        assert found is not None
        assert found["data"] == {"root-cert.pem": "PEM"}
        assert found["metadata"]["labels"] == {"istio.io/config": "true"}


@pytest.mark.row("CR-10")
def test_lists_of_revoked_certificates_are_distributed_while_there_are_any(lab: Lab) -> None:
    lab.trust |= {"root-cert.pem": "PEM", "ca-crl.pem": "LIST"}
    lab.settle()
    found = lab.store.get("ConfigMap", "default", "istio-ca-crl")
    assert found is not None
    assert found["data"] == {"ca-crl.pem": "LIST"}
    del lab.trust["ca-crl.pem"]
    lab.settle()
    assert lab.store.get("ConfigMap", "default", "istio-ca-crl") is None
    assert lab.store.get("ConfigMap", "default", "istio-ca-root-cert") is not None


def test_entries_that_registered_under_a_group_go_with_it(lab: Lab) -> None:
    api = "networking.istio.io/v1"
    meta = {"name": "db", "namespace": "vms"}
    _, group = lab.store.put({"apiVersion": api, "kind": "WorkloadGroup", "metadata": meta, "spec": {"template": {}}})
    owner = {"kind": "WorkloadGroup", "name": "db", "uid": group["metadata"]["uid"], "controller": True}
    for name, owners in (("made", [owner]), ("written", [])):
        entry = {"name": name, "namespace": "vms", "ownerReferences": owners}
        lab.store.put({"apiVersion": api, "kind": "WorkloadEntry", "metadata": entry, "spec": {"address": "10.0.0.9"}})
    lab.settle()
    assert len(lab.store.list("WorkloadEntry")) == 2
    lab.store.delete("WorkloadGroup", "vms", "db")
    lab.settle()
    assert [raw["metadata"]["name"] for raw in lab.store.list("WorkloadEntry")] == ["written"]


def test_a_machine_is_no_endpoint_of_a_service(lab: Lab) -> None:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    lab.store.put({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    for name, annotations in (("pod", {}), ("vm", {"lab.mizzen.io/machine": "true"})):
        meta = {"name": name, "labels": {"app": "web"}, "annotations": annotations}
        lab.store.put({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": TEMPLATE["spec"]})
    lab.start()
    lab.settle()
    targets = [e["targetRef"]["name"] for s in lab.store.list("EndpointSlice") for e in s["endpoints"]]
    assert targets == ["pod"]
