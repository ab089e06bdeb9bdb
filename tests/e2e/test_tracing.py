"""Real tracers of real Envoys: one request through the gateway and Bookinfo is one trace at a collector in the mesh."""

import json
from typing import Any

import pytest
import yaml

from tests.e2e.mesh import Document, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

COLLECTOR = """
apiVersion: v1
kind: Namespace
metadata: {name: watch, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: collector, namespace: watch}
spec:
  selector: {app: collector}
  ports:
    - {name: http-zipkin, port: 9411}
    - {name: http-datadog, port: 8126}
    - {name: grpc-otlp, port: 4317}
    - {name: http-otlp, port: 4318}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: collector, namespace: watch}
spec:
  selector: {matchLabels: {app: collector}}
  template:
    metadata: {labels: {app: collector}}
    spec:
      containers:
        - {name: collector, image: trace-collector, ports: [{containerPort: 4317}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: watch}
spec: {mtls: {mode: STRICT}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: narrow, namespace: default}
spec: {egress: [{hosts: ["./*"]}]}
"""
SERVICE = "collector.watch.svc.cluster.local"
SERVICES = {"productpage.default", "details.default", "reviews.default"}


def mesh_config(provider: Document | None, **more: Any) -> str:
    """The ConfigMap ``istio`` with one provider of traces, every request traced."""
    config: Document = {"defaultConfig": {"tracing": {"sampling": 100, **more.pop("tracing", {})}}, **more}
    if provider is not None:
        config |= {
            "extensionProviders": [{"name": "watch", **provider}],
            "defaultProviders": {"tracing": ["watch"]},
        }
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": yaml.safe_dump(config)},
    }
    return yaml.safe_dump(document)


def zipkin(**more: Any) -> Document:
    return {"zipkin": {"service": SERVICE, "port": 9411, **more}}


@pytest.fixture
def watched(mesh: Mesh) -> Mesh:
    """The shared mesh with a collector, which takes mTLS only and which no Sidecar of the clients lists."""
    mesh.apply(COLLECTOR)
    return mesh


def spans(mesh: Mesh) -> list[Document]:
    """Every span that arrived, asked inside the collector's own pod."""
    done = mesh.exec("collector", "curl", "-s", "http://127.0.0.1:9411/spans", namespace="watch")
    assert done.out, done.err
    return list(json.loads(done.out))


def one_trace(mesh: Mesh, wanted: str) -> list[Document]:
    """The spans of a trace that has every service, of the format ``wanted``, after requests from outside."""

    def ask() -> list[Document]:
        mesh.browse("/productpage")
        traces: dict[str, list[Document]] = {}
        for span in spans(mesh):
            if span["format"] == wanted:
                traces.setdefault(span["trace"], []).append(span)
        return next((found for found in traces.values() if {s["service"] for s in found} >= SERVICES), [])

    return eventually(ask, bool, seconds=45)


@pytest.mark.row("MC-05", "MC-08", "TR-01", "TR-02", "TR-10")
@pytest.mark.parametrize(
    ("form", "provider"),
    [
        pytest.param("zipkin", zipkin(), id="zipkin"),
        pytest.param(
            "datadog",
            {"datadog": {"service": SERVICE, "port": 8126}},
            id="datadog",
            marks=pytest.mark.row("MC-09", "TR-04"),
        ),
        pytest.param(
            "otlp-grpc",
            {"opentelemetry": {"service": f"watch/{SERVICE}", "port": 4317}},
            id="otlp-grpc",
            marks=pytest.mark.row("MC-10", "TR-03"),
        ),
        pytest.param(
            "otlp-http",
            {
                "opentelemetry": {
                    "service": SERVICE,
                    "port": 4318,
                    "http": {"path": "/v1/traces", "headers": [{"name": "x-tenant", "value": "blue 100%"}]},
                }
            },
            id="otlp-http",
            marks=pytest.mark.row("MC-10"),
        ),
    ],
)
def test_one_request_is_one_trace_over_all_services(watched: Mesh, form: str, provider: Document) -> None:
    watched.apply(mesh_config(provider))
    trace = one_trace(watched, form)
    ids = {span["span"] for span in trace}
    assert any(span["parent"] in ids for span in trace), "no span is the child of another: headers were not passed on"
    gateways = {span["service"] for span in trace} - SERVICES
    assert any(name.startswith("istio-ingressgateway") for name in gateways), gateways
    tags = next(span["tags"] for span in trace if span["service"] == "details.default")
    assert tags["istio.canonical_service"] == "details"
    assert tags["istio.namespace"] == "default"
    if form == "otlp-http":
        assert {span["path"] for span in trace} == {"/v1/traces"}
        assert {span["headers"]["x-tenant"] for span in trace} == {"blue 100%"}


@pytest.mark.row("MC-05", "PC-06")
def test_the_old_form_names_a_collector_by_address_which_new_pods_have_in_their_bootstrap(watched: Mesh) -> None:
    """The bootstrap knows no mTLS, so this collector takes plain text."""
    watched.apply(mesh_config(None, tracing={"zipkin": {"address": "collector.watch:9411"}}))
    watched.apply(COLLECTOR.replace("mode: STRICT", "mode: PERMISSIVE"))
    watched.run("rollout", "restart", "deploy/curl", "-n", "default")
    watched.run("rollout", "status", "deploy/curl", "-n", "default", seconds=60)

    def ask() -> list[Document]:
        watched.curl("http://httpbin.default:8000/get")
        return [span for span in spans(watched) if span["service"] == "curl.default"]

    found = eventually(ask, bool, seconds=45)
    assert {span["format"] for span in found} == {"zipkin"}
    watched.apply(mesh_config(None, tracing={"zipkin": {"address": "collector.watch:9411"}}, enableTracing=False))
    assert watched.curl("http://httpbin.default:8000/get").code == 200


@pytest.mark.row("LG-07", "MC-14")
def test_access_logs_arrive_as_opentelemetry_records(watched: Mesh) -> None:
    form = {"text": "took %RESPONSE_CODE%", "labels": {"path": "%REQ(:PATH)%"}}
    provider = {"name": "lines", "envoyOtelAls": {"service": SERVICE, "port": 4317, "logFormat": form}}
    text = mesh_config(None, extensionProviders=[provider], defaultProviders={"accessLogging": ["lines"]})
    watched.apply(text)

    def ask() -> list[Document]:
        watched.curl("http://httpbin.default:8000/status/418")
        done = watched.exec("collector", "curl", "-s", "http://127.0.0.1:9411/logs", namespace="watch")
        return [record for record in json.loads(done.out) if record["body"] == "took 418"]

    found = eventually(ask, bool, seconds=45)
    assert found[0]["attributes"] == {"path": "/status/418"}
