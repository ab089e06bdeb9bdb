"""What must go on under STRICT although it comes without a certificate: probes of the node and Prometheus' scrapes."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.mesh import MANIFESTS, Mesh, documents_of
from tests.e2e.test_security import peer_authentication
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
PROBES = {
    "http": "httpGet: {path: /, port: 8000}",
    "tcp": "tcpSocket: {port: 9000}",
    "grpc": "grpc: {port: 8002}",
    "failing": 'httpGet: {path: "/?status=500", port: 8000}',
    "closed": "tcpSocket: {port: 9999}",
}
BROKEN = ("failing", "closed")
PROBED = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: probed-{name}}}
spec:
  selector: {{matchLabels: {{app: probed-{name}}}}}
  template:
    metadata: {{labels: {{app: probed-{name}}}}}
    spec:
      containers:
      - name: app
        image: echo
        args: [--listen, "http:8000", --listen, "tcp:9000", --listen, "http:8002", --service, probed]
        readinessProbe: {{{probe}, periodSeconds: 1}}
"""
PLAIN = """
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain}
"""
SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": "9080", "prometheus.io/path": "/metrics"}


@pytest.fixture(scope="module")
def strict(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A mesh that is strict from its begin, with a pod for each kind of probe."""
    mesh = Mesh(tmp_path_factory.mktemp("state"))
    bookinfo = [d for d in documents_of(MANIFESTS / "bookinfo.yaml") if "productpage" in d["metadata"]["name"]]
    for document in bookinfo:
        if document["kind"] == "Deployment":
            document["spec"]["template"]["metadata"]["annotations"] = SCRAPED
    outside = [
        {**d, "metadata": {**d["metadata"], "namespace": "plain"}} for d in documents_of(MANIFESTS / "curl.yaml")
    ]
    probed = "---".join(PROBED.format(name=name, probe=probe) for name, probe in PROBES.items() if name not in BROKEN)
    try:
        mesh.up(
            [
                *documents_of(PLAIN),
                *documents_of(peer_authentication("STRICT", namespace="istio-system")),
                *bookinfo,
                *outside,
                *documents_of(probed),
            ]
        )
        yield mesh
    finally:
        mesh.end()


@pytest.mark.row("PA-14")
def test_probes_of_every_kind_pass_under_strict_and_still_tell_the_truth(strict: Mesh) -> None:
    for name in ("http", "tcp", "grpc"):
        eventually(lambda name=name: strict.pod(f"probed-{name}")["ready"], bool, 20)
    strict.apply("---".join(PROBED.format(name=name, probe=PROBES[name]) for name in BROKEN), wait=False)
    for name in BROKEN:
        strict.run("rollout", "status", f"deploy/probed-{name}", "--timeout", "8s", expect=4)
        assert strict.pod(f"probed-{name}")["phase"] == "Running"
        assert not strict.pod(f"probed-{name}")["ready"]
    address = strict.pod("probed-http")["ip"]
    refused = strict.curl(f"http://{address}:8000/", namespace="plain")
    assert refused.code == 0, "a caller without a certificate, the node's probe aside"


@pytest.mark.row("PA-15")
def test_prometheus_scrapes_sidecar_and_application_under_strict(strict: Mesh) -> None:
    pod = strict.pod("productpage-v1")
    assert strict.curl(f"http://{pod['ip']}:9080/health", namespace="plain").code == 0
    scraped = strict.curl(f"http://{pod['ip']}:15020/stats/prometheus", namespace="plain")
    assert scraped.code == 200
    assert "# TYPE request_result_total counter" in scraped.body, "the application's own"
    assert "istio_agent_cert_expiry_seconds" in scraped.body, "the agent's"
    assert "envoy_cluster_upstream_cx_total" in scraped.body or "istio_requests_total" in scraped.body, "the proxy's"
    own = strict.curl(f"http://{pod['ip']}:15090/stats/prometheus", namespace="plain")
    assert own.code == 200
    annotations = strict.run("get", "pod", pod["name"], "-o", "json").json()["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "15020", json.dumps(annotations)
