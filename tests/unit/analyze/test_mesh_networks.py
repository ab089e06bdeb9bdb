from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mizzen.analyze import Estate, Subject
from mizzen.analyze.mesh_networks import differing_services, unknown_registries
from tests.unit.analyze.estates import Json, found, messages, obj


def networks(*registries: str) -> Json:
    return {"networks": {"n1": {"endpoints": [{"fromRegistry": name} for name in registries]}}}


REMOTE = obj("Secret", "r", namespace="x", labels={"istio/multiCluster": "true"}, stringData={"far": "kubeconfig"})


@pytest.mark.row("IM-15")
def test_a_registry_that_nobody_has() -> None:
    told = [("IST0126", "MeshNetworks istio-system/meshnetworks")]
    assert found(unknown_registries, networks=networks("ghost")) == told
    nothing = {"networks": {"n1": {"endpoints": [{"fromCidr": "10.0.0.0/8"}]}}}
    assert found(unknown_registries, networks=nothing) == []
    assert found(unknown_registries, REMOTE, networks=networks("Kubernetes", "External", "Mock", "far")) == []
    unlabelled = obj("Secret", "r", stringData={"far": "kubeconfig"})
    assert found(unknown_registries, unlabelled, networks=networks("far")) == told
    assert messages(unknown_registries, networks=networks("ghost")) == [
        "network n1 names the registry ghost, which no cluster has"
    ]


@pytest.mark.row("IM-15")
def test_networks_are_read_from_the_configmap() -> None:
    text = "networks: {n1: {endpoints: [{fromRegistry: ghost}]}}"
    config = obj("ConfigMap", "istio", namespace="istio-system", data={"mesh": "", "meshNetworks": text})
    assert [code for code, _ in found(unknown_registries, config)] == ["IST0126"]


def service(cluster: str, **spec: Any) -> Subject:
    return Subject("Service", "default", "s", {"spec": spec}, cluster=cluster)


@pytest.mark.row("IM-45")
def test_services_that_differ_between_clusters() -> None:
    def reasons(*services: Subject) -> list[str]:
        return [finding.message.rpartition(": ")[2] for finding in differing_services(Estate(services))]

    ports = [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]
    assert reasons(service("c1", ports=ports), service("c2", ports=ports[::-1])) == []
    assert reasons(service("c1", ports=ports), service("c2", ports=ports[:1])) == ["ports"]
    other = service("c2", ports=ports, clusterIP="None", type="NodePort")
    assert reasons(service("c1", ports=ports), other) == ["headless or not, type"]
    assert reasons(service("c1", ports=ports)) == []
    assert reasons(service("c1"), service("c1", type="NodePort")) == []
    assert reasons(service("c1"), service("c2", type="ClusterIP", clusterIP="10.0.0.1")) == []
    assert reasons(service("c1"), service("c2", clusterIP="None")) == ["headless or not"]
    found_ = list(differing_services(Estate([service("b"), service("a", type="LoadBalancer")])))
    assert "between the clusters a, b" in found_[0].message
    assert msgspec.structs.astuple(found_[0])[0] == "IST0170"
