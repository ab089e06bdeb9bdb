"""Two networks on one machine, with a wall between them: what crosses it goes through the gateway, as mesh TLS."""

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.e2e.mesh import MANIFESTS, Document, Mesh, documents_of
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

NETWORK = "topology.istio.io/network"
NAMESPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "accessLogFile: /dev/stdout"}
"""
GATEWAY = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: eastwest, namespace: istio-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: eastwest, namespace: istio-system}
spec:
  replicas: 1
  selector: {matchLabels: {istio: eastwestgateway}}
  template:
    metadata:
      labels: {istio: eastwestgateway, sidecar.istio.io/inject: "true", topology.istio.io/network: west}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      serviceAccountName: eastwest
      containers:
      - name: istio-proxy
        image: auto
        env: [{name: ISTIO_META_REQUESTED_NETWORK_VIEW, value: west}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: cross-network, namespace: istio-system}
spec:
  selector: {istio: eastwestgateway}
  servers:
  - port: {number: 15443, name: tls, protocol: TLS}
    tls: {mode: AUTO_PASSTHROUGH}
    hosts: ["*.local"]
"""
ENTRANCE = """
apiVersion: v1
kind: Service
metadata:
  name: eastwest
  namespace: istio-system
  labels: {topology.istio.io/network: west, networking.istio.io/gatewayPort: "15499"}
spec:
  type: LoadBalancer
  selector: {istio: eastwestgateway}
  ports: [{name: tls, port: 15499, targetPort: 15443}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: httpbin, namespace: default}
spec: {host: httpbin, trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}}
"""
"""And connections that end at once, for a gateway writes of one when it ends."""


def workloads() -> list[Document]:
    """curl in the network ``east`` and httpbin in ``west``."""
    documents = []
    for name, network in (("curl", "east"), ("httpbin", "west")):
        for document in documents_of(MANIFESTS / f"{name}.yaml"):
            if document["kind"] == "Deployment":
                document["spec"]["template"]["metadata"]["labels"][NETWORK] = network
            documents.append(document)
    return documents


def wall(mesh: Mesh, one: str, other: str) -> None:
    """From now on no packet goes from one address to the other, in either direction."""
    pairs = f"{{ {one} . {other}, {other} . {one} }}"
    rules = f"""
    table ip wall {{
      chain between {{ type filter hook forward priority -5; ip saddr . ip daddr {pairs} reject with icmp type admin-prohibited; }}
    }}"""
    command = ["ip", "netns", "exec", f"mizzen-{mesh.name}", "nft", "-f", "-"]
    subprocess.run(command, input=rules, text=True, check=True, timeout=10)


@pytest.mark.row("PO-17", "MN-01", "MN-02", "MN-03", "MN-04")
def test_a_call_crosses_to_another_network_through_its_gateway_alone(new_mesh: Callable[[], Mesh]) -> None:
    mesh = new_mesh()
    mesh.up([*documents_of(NAMESPACES), *documents_of(GATEWAY), *workloads()])
    url = "http://httpbin:8000/headers"
    eventually(lambda: mesh.curl(url).code, lambda code: code == 200, 20)
    wall(mesh, mesh.pod("curl")["ip"], mesh.pod("httpbin")["ip"])
    assert mesh.curl(url, "--max-time", "8").code != 200

    mesh.apply(ENTRANCE)
    eventually(lambda: mesh.curl(url).code, lambda code: code == 200, 20)
    seen = json.loads(mesh.curl(url).body)["headers"]["X-Forwarded-Client-Cert"][0]
    assert seen.endswith("URI=spiffe://cluster.local/ns/default/sa/curl")
    assert mesh.metrics("curl", "istio_requests_total", reporter="source", destination_workload="httpbin")
    entrance = mesh.run("get", "service", "eastwest", "-n", "istio-system", "-o", "json").json()["spec"]["clusterIP"]
    # A proxy writes its access log once a second.
    eventually(lambda: mesh.logs("curl", container="istio-proxy"), lambda text: f"{entrance}:15499" in text, 15)
    sni = "outbound_.8000_._.httpbin.default.svc.cluster.local"
    eventually(lambda: mesh.logs("eastwest", "istio-system"), lambda text: sni in text, 15)
