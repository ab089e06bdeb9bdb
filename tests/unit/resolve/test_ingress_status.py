from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve.ingress_status import statuses
from tests.meshes import new


def ingress(name: str, of: str = "istio") -> Object:
    meta = {"annotations": {"kubernetes.io/ingress.class": of}}
    return new("networking.k8s.io/v1", "Ingress", "shop", name, {}, meta=meta)


def service(status: dict[str, Any] | None = None, **spec: Any) -> Object:
    body = {"clusterIP": "10.96.0.1", "ports": [{"port": 80}], **spec}
    return new("v1", "Service", "istio-system", "istio-ingressgateway", body, status=status or {})


def told(*objects: Object, **mesh: Any) -> Any:
    config = Config(mesh=MeshConfig(**mesh)).with_objects([ingress("mine"), ingress("other", "nginx"), *objects])
    found = statuses(config)
    assert list(found) == [("shop", "mine")], "an Ingress of another class is left alone"
    return [dict(entry) for entry in found[("shop", "mine")]]


@pytest.mark.row("IG-06")
def test_names_before_addresses_of_the_gateways_service() -> None:
    balanced = {"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}, {"hostname": "lb.example"}, {"ip": "1.1.1.1"}]}}
    assert told(service(balanced, externalIPs=["5.5.5.5", "9.9.9.9"])) == [
        {"hostname": "lb.example"},
        {"ip": "1.1.1.1"},
        {"ip": "5.5.5.5"},
        {"ip": "9.9.9.9"},
    ]


@pytest.mark.row("IG-06")
def test_an_external_name_is_all_that_counts_and_without_service_there_is_nothing() -> None:
    assert told(service(type="ExternalName", externalName="edge.example")) == [{"hostname": "edge.example"}]
    assert told() == []
    assert told(service({"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}]}}), ingress_service="another") == []


@pytest.mark.row("IG-06")
def test_without_a_service_the_machine_of_the_first_gateway_pod_that_runs() -> None:
    def pod(name: str, node: str, phase: str) -> Object:
        meta = {"labels": {"istio": "ingressgateway"}}
        spec = {"nodeName": node, "containers": [{"name": "a", "image": "x"}]}
        return new("v1", "Pod", "istio-system", name, spec, meta=meta, status={"phase": phase, "podIP": "10.1.0.1"})

    def node(name: str, address: str) -> Object:
        addresses = [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "ExternalIP", "address": address}]
        return new("v1", "Node", "", name, {}, status={"addresses": addresses})

    objects = (pod("a", "n1", "Pending"), pod("b", "n2", "Running"), node("n1", "7.7.7.1"), node("n2", "7.7.7.2"))
    assert told(*objects, ingress_service="") == [{"ip": "7.7.7.2"}]
    assert told(ingress_service="") == []
