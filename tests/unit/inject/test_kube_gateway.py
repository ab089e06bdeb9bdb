from __future__ import annotations

from typing import Any

import pytest

from mizzen.inject import InjectSettings, kube_gateway
from mizzen.inject.kube_gateway import MANAGED
from mizzen.inject.merge import merge
from mizzen.model.gateway_plan import GatewayPlan, GatewayPort

OWNER = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": "gw", "uid": "u"}


def objects(**more: Any) -> dict[str, dict[str, Any]]:
    given = {
        "name": "gw-istio",
        "gateway": "gw",
        "namespace": "shop",
        "class_name": "istio",
        "owner": OWNER,
        "ports": (GatewayPort("a.b", 80, "HTTP"), GatewayPort("https", 443, "HTTPS")),
        **more,
    }
    return {raw["kind"]: raw for raw in kube_gateway.objects(GatewayPlan(**given), InjectSettings())}


@pytest.mark.row("GA-03")
def test_three_objects_that_belong_to_the_gateway() -> None:
    made = objects(labels={"a": "b"}, annotations={"c": "d"})
    assert list(made) == ["ServiceAccount", "Service", "Deployment"]
    for raw in made.values():
        meta = raw["metadata"]
        assert (meta["name"], meta["namespace"], meta["ownerReferences"]) == ("gw-istio", "shop", [OWNER])
        assert meta["labels"] == {
            "a": "b",
            "gateway.networking.k8s.io/gateway-name": "gw",
            "gateway.networking.k8s.io/gateway-class-name": "istio",
            MANAGED: "istio.io-gateway-controller",
        }
        assert meta["annotations"] == {"c": "d"}


@pytest.mark.row("GA-03")
def test_the_service_has_the_status_port_and_one_for_each_listener_port() -> None:
    spec = objects()["Service"]["spec"]
    assert (spec["type"], spec["ipFamilyPolicy"]) == ("LoadBalancer", "PreferDualStack")
    assert spec["selector"] == {"gateway.networking.k8s.io/gateway-name": "gw"}
    assert [(p["name"], p["port"], p["targetPort"], p["appProtocol"]) for p in spec["ports"]] == [
        ("status-port", 15021, 15021, "tcp"),
        ("a-b", 80, 80, "http"),
        ("https", 443, 443, "https"),
    ]


@pytest.mark.row("GA-03")
def test_the_name_of_a_port_is_not_longer_than_kubernetes_takes() -> None:
    ports = objects(ports=(GatewayPort("a" * 70, 80, "HTTP"),))["Service"]["spec"]["ports"]
    assert ports[1]["name"] == "a" * 63


@pytest.mark.row("GA-03")
@pytest.mark.row("GA-25")
def test_the_deployment_is_a_router_that_injection_leaves_alone() -> None:
    deployment = objects()["Deployment"]
    assert "replicas" not in deployment["spec"]
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert pod["metadata"]["annotations"]["istio.io/rev"] == "default"
    assert pod["spec"]["securityContext"]["sysctls"][0]["value"] == "0"
    container = pod["spec"]["containers"][0]
    assert container["args"][:2] == ["proxy", "router"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/healthz/ready", "port": 15021}
    assert {e["name"]: e.get("value") for e in container["env"]}["ISTIO_META_WORKLOAD_NAME"] == "gw-istio"
    assert pod["spec"]["serviceAccountName"] == "gw-istio"


@pytest.mark.row("GA-03")
def test_what_metrics_call_the_gateway_is_its_deployment_whatever_its_labels() -> None:
    labels = objects(labels={"app": "x", "version": "y"})["Deployment"]["spec"]["template"]["metadata"]["labels"]
    told = labels["service.istio.io/canonical-name"], labels["service.istio.io/canonical-revision"]
    assert (labels["app"], told) == ("x", ("gw-istio", "latest"))


@pytest.mark.row("GA-06")
def test_an_address_goes_to_a_load_balancer_alone() -> None:
    assert objects(address="192.0.2.1")["Service"]["spec"]["loadBalancerIP"] == "192.0.2.1"
    assert "loadBalancerIP" not in objects(address="192.0.2.1", service_type="ClusterIP")["Service"]["spec"]


@pytest.mark.row("GA-04")
def test_annotations_of_the_proxy_and_an_account_of_ones_own() -> None:
    made = objects(annotations={"sidecar.istio.io/logLevel": "debug"}, service_account="mine")
    assert "ServiceAccount" not in made
    spec = made["Deployment"]["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "mine"
    assert "--proxyLogLevel=debug" in spec["containers"][0]["args"]


@pytest.mark.row("GA-04")
def test_patches() -> None:
    overlays = (
        {"deployment": {"spec": {"replicas": 2}}, "service": {"spec": {"ports": [{"port": 80, "nodePort": 30080}]}}},
        {"deployment": {"spec": {"replicas": 4}}, "podDisruptionBudget": {"spec": {"minAvailable": 1}}},
    )
    made = objects(overlays=overlays)
    assert made["Deployment"]["spec"]["replicas"] == 4
    assert [p.get("nodePort") for p in made["Service"]["spec"]["ports"]] == [None, 30080, None]
    assert made["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    assert "HorizontalPodAutoscaler" not in made
    assert objects(overlays=({"horizontalPodAutoscaler": {"spec": {"maxReplicas": 5}}},))["HorizontalPodAutoscaler"][
        "spec"
    ] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gw-istio"},
        "maxReplicas": 5,
    }


@pytest.mark.row("GA-04")
@pytest.mark.parametrize("meta", [{"name": "other"}, {"ownerReferences": []}, {"finalizers": ["x"]}])
def test_a_patch_may_not_change_who_an_object_is(meta: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="may not change"):
        objects(overlays=({"service": {"metadata": meta}},))


def test_an_annotation_that_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="proxy"):
        objects(annotations={"proxy.istio.io/config": "["})


def test_ports_of_services_merge_by_number() -> None:
    made = merge({"ports": [{"port": 80, "name": "a"}]}, {"ports": [{"port": 80, "name": "b"}, {"port": 81}]})
    assert made == {"ports": [{"port": 80, "name": "b"}, {"port": 81}]}
