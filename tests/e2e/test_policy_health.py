"""Probes under a policy that allows nothing."""

import json

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

CLOSED = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed}
spec: {selector: {matchLabels: {closed: "yes"}}}
"""
PROBED = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}, closed: "yes"}}
      annotations: {{sidecar.istio.io/rewriteAppHTTPProbers: "{rewrite}"}}
    spec:
      containers:
        - name: app
          image: go-httpbin
          ports: [{{containerPort: 8080}}]
          readinessProbe: {{httpGet: {{path: /get, port: 8080}}, periodSeconds: 1, timeoutSeconds: 10}}
"""


def ready(mesh: Mesh) -> dict[str, bool]:
    """Whether the app container of each workload of ours is ready."""
    found = {}
    for pod in json.loads(mesh.run("get", "pods", "-o", "json").out)["items"]:
        app = pod["metadata"]["labels"].get("app")
        states = {s["name"]: s["ready"] for s in pod.get("status", {}).get("containerStatuses", ())}
        if app in ("rewritten", "written") and "app" in states:
            found[app] = states["app"]
    return found


@pytest.mark.row("AP-29")
def test_a_pod_stays_ready_though_nobody_may_call_it(mesh: Mesh) -> None:
    """The probe that injection rewrote asks the agent; one that was left as written is denied like any caller."""
    both = PROBED.format(name="rewritten", rewrite="true") + PROBED.format(name="written", rewrite="false")
    mesh.apply(CLOSED + both, wait=False)
    eventually(lambda: ready(mesh), lambda found: found == {"rewritten": True, "written": False}, 90)
    address = mesh.pod("rewritten")["ip"]
    assert mesh.curl(f"http://{address}:8080/get", namespace="plain").code == 403
    assert ready(mesh) == {"rewritten": True, "written": False}
