"""Kubernetes Ingress: what ``get`` says of where it can be reached is where it is reached."""

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: bin, namespace: default, annotations: {kubernetes.io/ingress.class: istio}}
spec:
  rules:
  - host: bin.example
    http:
      paths: [{path: /, pathType: Prefix, backend: {service: {name: httpbin, port: {number: 8000}}}}]
"""


@pytest.mark.row("IG-06")
def test_an_ingress_has_the_gateways_address(mesh: Mesh) -> None:
    mesh.apply(INGRESS)
    line = eventually(lambda: mesh.run("get", "ing", "bin").out.splitlines()[1], lambda text: len(text.split()) > 3)
    address = line.split()[3]
    gateway = mesh.run("get", "svc", "istio-ingressgateway", "-n", "istio-system").out.splitlines()[1].split()[3]
    assert address == gateway
    asked = ["-H", "host: bin.example"]
    eventually(
        lambda: mesh.curl(f"http://{address}/status/200", *asked, namespace="plain").code, lambda code: code == 200
    )
