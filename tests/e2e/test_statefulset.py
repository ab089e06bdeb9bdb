"""Peers of a StatefulSet call each other by pod name, over mutual TLS."""

import json

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

PEERS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: peer}
---
apiVersion: v1
kind: Service
metadata: {name: peer}
spec:
  clusterIP: None
  selector: {app: peer}
  ports: [{name: http, port: 8080}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: peer}
spec:
  serviceName: peer
  replicas: 2
  selector: {matchLabels: {app: peer}}
  template:
    metadata: {labels: {app: peer}}
    spec:
      serviceAccountName: peer
      containers: [{name: httpbin, image: go-httpbin, ports: [{containerPort: 8080}]}]
"""


@pytest.mark.row("OL-10")
def test_a_peer_is_reached_by_its_own_name_with_mutual_tls(mesh: Mesh) -> None:
    mesh.apply(PEERS)
    for number in (0, 1):
        name = f"peer-{number}.peer.default.svc.cluster.local"
        url = f"http://{name}:8080/headers"
        reply = eventually(lambda url=url: mesh.curl(url), lambda reply: reply.code == 200, 20)
        headers = json.loads(reply.body)["headers"]
        assert headers["Host"] == [f"{name}:8080"]
        (value,) = headers["X-Forwarded-Client-Cert"]
        assert "By=spiffe://cluster.local/ns/default/sa/peer;" in value
        assert value.endswith("URI=spiffe://cluster.local/ns/default/sa/curl")
        address = mesh.pod(f"peer-{number}")["ip"]
        hostname = mesh.run("exec", f"peer-{number}", "-c", "httpbin", "--", "hostname").out.strip()
        assert hostname == f"peer-{number}"
        assert address in mesh.exec("curl", "getent", "hosts", name).out
