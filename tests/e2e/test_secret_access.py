"""A mesh in RBAC mode: gateways get the Secrets that their service account may list, for as long as it may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conformance.material import Material
from tests.e2e.mesh import Mesh
from tests.e2e.test_gateway_tls import Edge, pair, refused, secret
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

# The gateway of a user's own, with the Role that Istio's documents give it.
GATEWAY = """
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: edge}
spec:
  selector: {matchLabels: {istio: edge}}
  template:
    metadata:
      annotations: {inject.istio.io/templates: gateway}
      labels: {istio: edge, sidecar.istio.io/inject: "true"}
    spec:
      containers: [{name: istio-proxy, image: auto}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: %(name)s, namespace: default}
spec:
  selector: {istio: %(name)s}
  servers:
  - port: {number: %(port)s, name: https, protocol: HTTPS}
    hosts: [tls.example]
    tls: {mode: SIMPLE, credentialName: cert}
  - port: {number: %(plain)s, name: http, protocol: HTTP}
    hosts: [tls.example]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %(name)s, namespace: default}
spec:
  hosts: [tls.example]
  gateways: [%(name)s]
  http: [{directResponse: {status: 200}}]
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: istio-ingressgateway-sds, namespace: edge}
rules:
- apiGroups: [""]
  resources: ["secrets"]
  verbs: ["get", "watch", "list"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: istio-ingressgateway-sds, namespace: edge}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: istio-ingressgateway-sds}
subjects: [{kind: ServiceAccount, name: default}]
"""


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """An authority, ``one``, and what it signs."""
    return Material(tmp_path, lambda name: name, "")


@pytest.mark.row("GW-31")
def test_a_gateway_has_a_secret_for_as_long_as_it_may_list_them(
    new_mesh: Callable[[], Mesh], material: Material
) -> None:
    mesh = new_mesh()
    documents = [
        *yaml.safe_load_all(GATEWAY % {"name": "edge", "port": 8443, "plain": 8080}),
        *list(yaml.safe_load_all(GATEWAY % {"name": "ingressgateway", "port": 443, "plain": 80}))[2:],
        secret("cert", "edge", **pair(material, "one")),
        secret("cert", "istio-system", **pair(material, "one")),
    ]
    started = ["up", "--detach", "--authorization-mode", "RBAC", "-f", "-"]
    done = mesh.run(*started, text=yaml.safe_dump_all(documents), seconds=90)
    assert "service account default of namespace edge may not list Secrets there" in done.err
    own = Edge((mesh.pod("edge", "edge")["ip"], 8443), material)
    builtin = Edge((mesh.pod("istio-ingressgateway", "istio-system")["ip"], 8443), material)
    eventually(lambda: builtin.status("one"), lambda status: status == 200)
    assert refused(own.status("one")), "no Role lets it"
    mesh.apply(ROLE)
    eventually(lambda: own.status("one"), lambda status: status == 200)
    mesh.delete(list(yaml.safe_load_all(ROLE))[1:])
    eventually(lambda: own.status("one"), refused)
    assert builtin.status("one") == 200, "the other gateway is not concerned"
    mesh.run("delete", "rolebinding", "istio-ingressgateway-service-account", "-n", "istio-system", "--wait")
    eventually(lambda: builtin.status("one"), refused)
