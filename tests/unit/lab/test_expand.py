"""What the lab would make of files."""

from typing import Any

from mizzen.api.mesh_config import MeshConfig
from mizzen.lab import offline
from mizzen.lab.expand import expand, expand_in_mesh

Raw = dict[str, Any]


def documents() -> list[Raw]:
    def deployment(name: str) -> Raw:
        container = {"name": "c", "image": "x", "ports": [{"containerPort": 8080}]}
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"template": template},
        }

    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a"},
        "spec": {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "default", "labels": {"istio-injection": "enabled"}},
    }
    return [namespace, deployment("b"), deployment("a"), service]


def of(kind: str, objects: list[Raw]) -> list[Raw]:
    return [o for o in objects if o["kind"] == kind]


def test_pods_are_numbered_in_the_order_of_names_injected_and_ready() -> None:
    pods = of("Pod", expand(documents(), MeshConfig()))
    assert [(p["metadata"]["name"], p["status"]["podIP"]) for p in pods] == [
        ("a-0", "10.255.0.1"),
        ("b-0", "10.255.0.2"),
    ]
    assert {c["name"] for c in pods[0]["spec"]["containers"]} == {"c", "istio-proxy"}


def test_services_have_addresses_and_endpoints() -> None:
    objects = expand(documents(), MeshConfig())
    assert of("Service", objects)[0]["spec"]["clusterIP"].startswith("10.96.")
    endpoint = of("EndpointSlice", objects)[0]["endpoints"][0]
    assert (endpoint["addresses"], endpoint["conditions"]["ready"]) == (["10.255.0.1"], True)


def test_the_same_files_in_another_order_give_the_same_pods() -> None:
    assert of("Pod", expand(documents(), MeshConfig())) == of("Pod", expand(documents()[::-1], MeshConfig()))


def test_the_proxy_of_a_pod() -> None:
    proxy = offline.proxy_of(of("Pod", expand(documents(), MeshConfig()))[0])
    assert proxy.id == "sidecar~10.255.0.1~a-0.default~default.svc.cluster.local"
    assert (proxy.service_account, proxy.workload_name, proxy.labels["app"]) == ("default", "a", "a")
    assert 8080 in proxy.pod_ports


def test_the_labs_own_objects_come_after_the_users_and_move_none_of_their_addresses() -> None:
    pods = of("Pod", expand_in_mesh(documents(), MeshConfig()))
    assert [(p["metadata"]["name"], p["status"]["podIP"]) for p in pods] == [
        ("a-0", "10.255.0.1"),
        ("b-0", "10.255.0.2"),
        ("istio-egressgateway-0", "10.255.0.3"),
        ("istio-ingressgateway-0", "10.255.0.4"),
        ("istiod-0", "10.255.255.254"),
    ]


def test_a_users_object_counts_instead_of_the_labs() -> None:
    mine = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system"},
        "spec": {"ports": [{"port": 7777}]},
    }
    found = [
        s for s in of("Service", expand_in_mesh([mine], MeshConfig())) if s["metadata"]["name"].endswith("essgateway")
    ]
    assert [(s["metadata"]["name"], [p["port"] for p in s["spec"]["ports"]]) for s in found] == [
        ("istio-ingressgateway", [7777]),
        ("istio-egressgateway", [80, 443]),
    ]
