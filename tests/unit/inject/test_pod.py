"""Rows IP-04, IP-07..09, IP-13, AN-03..11: what an injected pod looks like as a whole."""

import json

import pytest

from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.inject import InjectSettings, inject
from mizzen.inject.owner import owner_of
from tests.unit.inject.pods import NAMESPACE, container, env, pod, refusal, run


@pytest.mark.row("IP-08")
@pytest.mark.parametrize(
    ("labels", "owner", "expected"),
    [
        ({}, {"kind": "Job", "name": "tidy-29123456", "apiVersion": "batch/v1"}, ("tidy", "CronJob")),
        ({}, {"kind": "Job", "name": "tidy-12", "apiVersion": "batch/v1"}, ("tidy-12", "Job")),
        ({}, {"kind": "ReplicaSet", "name": "web-1"}, ("web-1", "ReplicaSet")),
        ({"rollouts-pod-template-hash": "x1"}, {"kind": "ReplicaSet", "name": "web-x1"}, ("web", "Rollout")),
        ({"deploymentconfig": "web"}, {"kind": "ReplicationController", "name": "web-1"}, ("web", "DeploymentConfig")),
        ({}, {"kind": "StatefulSet", "name": "db"}, ("db", "StatefulSet")),
    ],
)
def test_owners(labels, owner, expected):
    document = {
        "metadata": {"generateName": "x-", "labels": labels, "ownerReferences": [{**owner, "controller": True}]}
    }
    found = owner_of(document)
    assert (found.name, found.kind) == expected


@pytest.mark.row("IP-06", "IP-07")
def test_labels_and_annotations():
    metadata = run(pod(labels={"version": "v2"}))["metadata"]
    assert metadata["labels"]["security.istio.io/tlsMode"] == "istio"
    assert metadata["labels"]["service.istio.io/canonical-name"] == "web"
    assert metadata["labels"]["service.istio.io/canonical-revision"] == "v2"
    assert "istio.io/rev" not in metadata["labels"]
    assert metadata["annotations"]["istio.io/rev"] == "default"
    assert metadata["annotations"]["kubectl.kubernetes.io/default-container"] == "web"
    assert metadata["annotations"]["kubectl.kubernetes.io/default-logs-container"] == "web"
    chosen = run(pod({"kubectl.kubernetes.io/default-container": "mine"}))["metadata"]["annotations"]
    assert chosen["kubectl.kubernetes.io/default-container"] == "mine"
    told = run(pod(), InjectSettings(cni=True))["metadata"]["annotations"]
    assert told["sidecar.istio.io/interceptionMode"] == "REDIRECT"
    assert told["traffic.sidecar.istio.io/includeInboundPorts"] == "*"
    status = json.loads(metadata["annotations"]["sidecar.istio.io/status"])
    assert list(status) == ["initContainers", "containers", "volumes", "imagePullSecrets", "revision"]
    assert (status["initContainers"], status["containers"], status["imagePullSecrets"]) == (
        ["istio-init"],
        ["istio-proxy"],
        None,
    )


@pytest.mark.row("IP-09")
def test_the_users_own_proxy_container_is_merged_over_ours():
    own = {
        "name": "istio-proxy",
        "image": "auto",
        "securityContext": {"runAsUser": 1234},
        "env": [{"name": "A", "value": "b"}],
    }
    app = {"name": "web", "image": "shop/web"}
    injected = run(pod(containers=[own, app]))
    proxy = container(injected, "istio-proxy")
    assert proxy["image"] != "auto"
    assert proxy["securityContext"]["runAsUser"] == 1234
    assert env(injected)["A"] == "b"
    args = container(injected, "istio-init")["args"]
    assert args[args.index("-u") + 1] == "1234"
    assert (
        json.loads(injected["metadata"]["annotations"]["proxy.istio.io/overrides"])["containers"][0]["name"]
        == "istio-proxy"
    )


@pytest.mark.row("IP-13")
def test_probes_are_rewritten_and_remembered():
    app = {
        "name": "web",
        "image": "x",
        "ports": [{"name": "http", "containerPort": 8080}],
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http", "scheme": "HTTPS"}, "periodSeconds": 7},
        "readinessProbe": {"tcpSocket": {"port": 9000}},
        "startupProbe": {"grpc": {"port": 9001}, "timeoutSeconds": 4},
        "lifecycle": {"preStop": {"httpGet": {"path": "/bye", "port": 8080}}},
    }
    injected = run(pod(containers=[app]))
    web = container(injected, "web")
    assert web["livenessProbe"] == {
        "httpGet": {"path": "/app-health/web/livez", "port": 15020, "scheme": "HTTP"},
        "periodSeconds": 7,
    }
    assert web["readinessProbe"] == {"httpGet": {"path": "/app-health/web/readyz", "port": 15020}}
    assert web["startupProbe"] == {"httpGet": {"path": "/app-health/web/startupz", "port": 15020}, "timeoutSeconds": 4}
    assert web["lifecycle"]["preStop"]["httpGet"]["path"] == "/app-lifecycle/web/prestopz"
    assert json.loads(env(injected)["ISTIO_KUBE_APP_PROBERS"]) == {
        "/app-health/web/livez": {"httpGet": {"path": "/live", "port": 8080, "scheme": "HTTPS"}},
        "/app-health/web/readyz": {"tcpSocket": {"port": 9000}},
        "/app-health/web/startupz": {"grpc": {"port": 9001}, "timeoutSeconds": 4},
        "/app-lifecycle/web/prestopz": {"httpGet": {"path": "/bye", "port": 8080}},
    }


@pytest.mark.row("IP-13")
def test_probe_rewriting_is_switched_off_by_annotation_and_reaches_init_containers():
    probe = {"httpGet": {"path": "/live", "port": 8080}}
    app = {"name": "web", "image": "x", "livenessProbe": probe}
    off = run(pod({"sidecar.istio.io/rewriteAppHTTPProbers": "false"}, containers=[app]))
    assert container(off, "web")["livenessProbe"] == probe
    assert "ISTIO_KUBE_APP_PROBERS" not in env(off)
    helper = {"name": "helper", "image": "x", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 1}}}
    injected = run(pod(containers=[app], initContainers=[helper]))
    assert container(injected, "helper")["startupProbe"]["httpGet"]["path"] == "/app-health/helper/startupz"


@pytest.mark.row("IP-14")
def test_prometheus_annotations_move_into_the_agent():
    injected = run(pod({"prometheus.io/scrape": "true", "prometheus.io.port": "9080"}))
    annotations = injected["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "15020"
    assert annotations["prometheus.io/path"] == "/stats/prometheus"
    assert "prometheus.io.port" not in annotations
    assert json.loads(env(injected)["ISTIO_PROMETHEUS_ANNOTATIONS"])["port"] == "9080"
    off = run(pod({"prometheus.io/scrape": "false"}))
    assert off["metadata"]["annotations"]["prometheus.io/scrape"] == "false"
    assert "15090" in refusal({"prometheus.io/port": "15090"})


@pytest.mark.row("AN-04", "AN-07", "AN-10")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traffic.sidecar.istio.io/includeOutboundIPRanges", "10.0.0.0/99"),
        ("traffic.sidecar.istio.io/excludeOutboundIPRanges", "*"),
        ("traffic.sidecar.istio.io/excludeInboundPorts", "http"),
        ("traffic.sidecar.istio.io/excludeOutboundPorts", "70000"),
        ("sidecar.istio.io/interceptionMode", "MAGIC"),
        ("sidecar.istio.io/userVolume", "[1]"),
        ("status.sidecar.istio.io/port", "-1"),
        ("proxy.istio.io/config", "concurrency: many"),
        ("proxy.istio.io/config", "{"),
    ],
)
def test_a_bad_annotation_refuses_the_pod(name, value):
    assert name in refusal({name: value})


def test_an_unknown_template_refuses_the_pod():
    assert "there is no template 'mine'" in refusal({"inject.istio.io/templates": "mine"})


@pytest.mark.row("AN-11")
def test_the_config_annotation_goes_over_the_meshs_default():
    mesh = MeshConfig(default_config=ProxyConfig(proxy_metadata={"A": "1", "B": "1"}, concurrency=3))
    document = pod({"proxy.istio.io/config": "proxyMetadata: {B: '2'}\nterminationDrainDuration: 9s"})
    injected = run(document, InjectSettings(mesh=mesh))
    found = env(injected)
    expected = {"proxyMetadata": {"A": "1", "B": "2"}, "concurrency": 3, "terminationDrainDuration": "9s"}
    assert json.loads(found["PROXY_CONFIG"]) == expected
    assert (found["A"], found["B"]) == ("1", "2")
    assert env(injected, "istio-init") == {"A": "1", "B": "2"}


def test_an_unknown_field_of_the_config_annotation_is_a_warning():
    done = inject(pod({"proxy.istio.io/config": "concurency: 2"}), NAMESPACE, InjectSettings())
    assert done.injected
    assert "concurency" in str(done.warnings[0])


@pytest.mark.row("PC-11")
def test_the_proxy_comes_first_and_is_waited_for_when_the_app_is_held():
    annotation = {"proxy.istio.io/config": "holdApplicationUntilProxyStarts: true"}
    injected = run(pod(annotation))
    first = injected["spec"]["containers"][0]
    assert first["name"] == "istio-proxy"
    assert "postStart" in first["lifecycle"]
    assert run(pod())["spec"]["containers"][-1]["name"] == "istio-proxy"


@pytest.mark.row("MC-26")
def test_capture_follows_the_meshs_ports():
    settings = InjectSettings(mesh=MeshConfig(proxy_listen_port=16001, proxy_inbound_listen_port=16006))
    args = container(run(pod(), settings), "istio-init")["args"]
    assert args[1:5] == ["-p", "16001", "-z", "16006"]


@pytest.mark.row("PC-12")
def test_the_probe_and_the_image_of_proxy_config():
    text = (
        "{readinessProbe: {periodSeconds: 7, failureThreshold: 2, timeoutSeconds: 9}, image: {imageType: distroless}}"
    )
    proxy = container(run(pod({"proxy.istio.io/config": text})), "istio-proxy")
    probe = proxy["readinessProbe"]
    assert (probe["periodSeconds"], probe["failureThreshold"], probe["timeoutSeconds"]) == (7, 2, 9)
    assert proxy["image"].endswith("-distroless")


@pytest.mark.row("PC-02", "PC-07")
def test_variables_of_proxy_config_reach_both_containers():
    injected = run(pod({"proxy.istio.io/config": "proxyMetadata: {ISTIO_META_TEAM: blue}"}))
    assert env(injected, "istio-proxy")["ISTIO_META_TEAM"] == "blue"
    assert env(injected, "istio-init")["ISTIO_META_TEAM"] == "blue"
    assert '"ISTIO_META_TEAM":"blue"' in env(injected, "istio-proxy")["PROXY_CONFIG"]


@pytest.mark.row("MC-10", "TR-03")
@pytest.mark.parametrize(
    ("annotations", "labels", "name"),
    [
        ({"resource.opentelemetry.io/service.name": "own"}, {"app.kubernetes.io/name": "site"}, "own"),
        ({}, {"app.kubernetes.io/instance": "site-1", "app.kubernetes.io/name": "site"}, "site-1"),
        ({}, {"app.kubernetes.io/name": "site"}, "site"),
    ],
)
def test_a_provider_with_semantic_conventions_names_the_service_by_them(annotations, labels, name):
    provider = {"name": "o", "opentelemetry": {"serviceAttributeEnrichment": "OTEL_SEMANTIC_CONVENTIONS"}}
    raw = pod(annotations)
    raw["metadata"]["labels"] = labels
    settings = InjectSettings(mesh=MeshConfig(extension_providers=(provider,)))
    assert env(run(raw, settings), "istio-proxy")["OTEL_RESOURCE_ATTRIBUTES"] == f"service.name={name}"
    assert "OTEL_RESOURCE_ATTRIBUTES" not in env(run(pod(annotations)), "istio-proxy")
