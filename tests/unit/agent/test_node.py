"""Who the proxy is, and what never stands in a shared resource."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mizzen.agent.node import environment, metadata, node
from mizzen.agent.settings import Settings, from_environment
from mizzen.agent.wasm.settings import WasmSettings
from tests.unit.inject import pods


@pytest.mark.row("AG-01")
def test_the_node_has_id_cluster_and_labels_without_the_templates_hash() -> None:
    settings = Settings(
        pod_name="web-0",
        namespace="shop",
        instance_ip="10.1.0.9",
        labels={"app": "web", "pod-template-hash": "x"},
        node_metadata={"NETWORK": "n1", "POD_PORTS": '[ {"containerPort": 80} ]'},
    )
    found = node(settings)
    assert found["id"] == "sidecar~10.1.0.9~web-0.shop~default.svc.cluster.local"
    assert found["cluster"] == "web.shop"
    assert found["metadata"]["LABELS"] == {"app": "web"}
    assert found["metadata"]["NETWORK"] == "n1"
    assert found["metadata"]["POD_PORTS"] == '[{"containerPort":80}]'
    assert node(Settings(role="router"))["id"].startswith("router~")


@pytest.mark.parametrize(
    ("more", "cluster"),
    [
        ({"proxy_config": {"serviceCluster": "mine"}}, "mine"),
        ({"labels": {"app": "a"}, "workload_name": "w"}, "a.default"),
        ({"workload_name": "w"}, "w.default"),
        ({}, "istio-proxy.default"),
    ],
)
def test_the_cluster_is_the_configured_one_the_app_or_the_workload(more: dict[str, Any], cluster: str) -> None:
    assert node(Settings(**more))["cluster"] == cluster


def test_injections_metadata_beats_what_is_fixed() -> None:
    assert metadata(Settings(cluster_id="a", node_metadata={"CLUSTER_ID": "b"}))["CLUSTER_ID"] == "b"
    assert metadata(Settings(node_metadata={"POD_PORTS": "  "}))["POD_PORTS"] == "[]"
    assert "OUTLIER_LOG_PATH" not in metadata(Settings())


@pytest.mark.parametrize(
    ("labels", "name", "revision"),
    [
        ({}, "w", "latest"),
        ({"app": "a", "version": "v2"}, "a", "v2"),
        ({"app": "a", "app.kubernetes.io/name": "b"}, "b", "latest"),
        (
            {"app": "a", "service.istio.io/canonical-name": "c", "service.istio.io/canonical-revision": "r"},
            "c",
            "r",
        ),
    ],
)
def test_canonical_names(labels: dict[str, str], name: str, revision: str) -> None:
    found = environment(Settings(labels=labels, workload_name="w"))
    assert (found["MIZZEN_CANONICAL_NAME"], found["MIZZEN_CANONICAL_REVISION"]) == (name, revision)
    assert (found["MIZZEN_APP"], found["MIZZEN_VERSION_LABEL"]) == (labels.get("app", ""), labels.get("version", ""))


@pytest.mark.row("ME-12")
def test_peers_are_told_kubernetes_own_labels_first() -> None:
    labels = {"app": "a", "app.kubernetes.io/name": "b", "app.kubernetes.io/version": "2"}
    found = environment(Settings(labels=labels))
    assert (found["MIZZEN_APP"], found["MIZZEN_VERSION_LABEL"]) == ("a", "")
    assert (found["MIZZEN_PEER_APP"], found["MIZZEN_PEER_VERSION"]) == ("b", "2")
    assert environment(Settings(labels={"app": "a"}))["MIZZEN_PEER_APP"] == "a"


def test_a_pod_without_a_workload_is_its_own() -> None:
    assert environment(Settings(pod_name="p"))["MIZZEN_WORKLOAD_NAME"] == "p"


@pytest.mark.row("MC-09", "MC-10", "PC-12")
@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ("", "web.shop"),
        ("APP_LABEL_AND_NAMESPACE", "web.shop"),
        ("CANONICAL_NAME_ONLY", "site"),
        ("CANONICAL_NAME_AND_NAMESPACE", "site.shop"),
    ],
)
def test_traces_know_the_proxy_by_its_service_name(chosen: str, name: str) -> None:
    labels = {"app": "web", "service.istio.io/canonical-name": "site"}
    settings = Settings(namespace="shop", labels=labels, proxy_config={"tracingServiceName": chosen})
    assert node(settings)["cluster"] == name
    found = environment(settings)
    assert (found["DD_SERVICE"], found["OTEL_RESOURCE_ATTRIBUTES"]) == (name, f"service.name={name}")


def test_the_users_own_names_in_traces_stay() -> None:
    own = Settings(namespace="shop", trace_service="mine", trace_attributes="team=a,service.name=mine")
    assert environment(own)["DD_SERVICE"] == "mine"
    assert environment(own)["OTEL_RESOURCE_ATTRIBUTES"] == "team=a,service.name=mine"
    more = Settings(namespace="shop", workload_name="w", trace_attributes="team=a")
    assert environment(more)["OTEL_RESOURCE_ATTRIBUTES"] == "service.name=w.shop,team=a"


@pytest.mark.row("AG-12", "WP-15")
def test_an_agent_that_fetches_modules_says_so_with_its_life() -> None:
    assert metadata(Settings(wasm=WasmSettings(boot="b")))["MIZZEN_BOOT"] == "b"
    assert "MIZZEN_BOOT" not in metadata(Settings())


FIELDS = {
    "metadata.name": "web-1",
    "metadata.namespace": "shop",
    "status.podIP": "10.1.0.9",
    "spec.serviceAccountName": "web-sa",
    "spec.nodeName": "node-1",
    "status.hostIP": "10.0.0.1",
}
"""What Kubernetes fills in."""


@pytest.mark.row("AG-01")
def test_an_injected_pod_tells_istios_metadata(tmp_path: Path) -> None:
    config = "proxyMetadata: {ISTIO_META_DNS_CAPTURE: 'true', ISTIO_META_DNS_AUTO_ALLOCATE: 'true', ISTIO_META_OWN: x, EXIT_ON_ZERO_ACTIVE_CONNECTIONS: 'true'}"
    injected = pods.run(pods.pod({"proxy.istio.io/config": config, "note": "n"}, {"topology.istio.io/network": "n1"}))
    (tmp_path / "labels").write_text('app="web"\npod-template-hash="7d4b9c"\n')
    (tmp_path / "annotations").write_text('note="n"\n')
    env = {"MIZZEN_POD_INFO": str(tmp_path), "ISTIO_METAJSON_MORE": '{"DEEP": {"a": 1}}'}
    for name, value in pods.env(injected).items():
        env[name] = value if isinstance(value, str) else FIELDS.get(value.get("fieldRef", {}).get("fieldPath", ""), "2")
    found = metadata(from_environment("sidecar", {"outlierLogPath": "/dev/stdout"}, env))
    expected = {
        "NAME": "web-1",
        "NAMESPACE": "shop",
        "OWNER": "kubernetes://apis/apps/v1/namespaces/shop/deployments/web",
        "WORKLOAD_NAME": "web",
        "SERVICE_ACCOUNT": "web-sa",
        "LABELS": {"app": "web"},
        "ANNOTATIONS": {"note": "n"},
        "CLUSTER_ID": "Kubernetes",
        "NETWORK": "n1",
        "MESH_ID": "cluster.local",
        "NODE_NAME": "node-1",
        "POD_PORTS": '[{"name":"http","containerPort":8080}]',
        "APP_CONTAINERS": "web",
        "INSTANCE_IPS": "10.1.0.9",
        "INTERCEPTION_MODE": "REDIRECT",
        "PILOT_SAN": ["istiod.istio-system.svc"],
        "ENVOY_STATUS_PORT": 15021,
        "ENVOY_PROMETHEUS_PORT": 15090,
        "DNS_CAPTURE": "true",
        "DNS_AUTO_ALLOCATE": "true",
        "EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true",
        "OUTLIER_LOG_PATH": "/dev/stdout",
        "OWN": "x",
        "DEEP": {"a": 1},
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found["ISTIO_VERSION"]
    assert found["PROXY_CONFIG"]["proxyMetadata"]["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] == "true"
