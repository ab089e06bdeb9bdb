"""A change reaches the proxies that it concerns within moments, without a restart, and no others (row CM-18)."""

import json
import time
from typing import Any

import pytest

from tests.e2e.conftest import in_namespace
from tests.e2e.mesh import MANIFESTS, Mesh, documents_of

pytestmark = pytest.mark.lab

TEAPOT = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: teapot, namespace: other}}
spec:
  hosts: [httpbin.default.svc.cluster.local]
  exportTo: ["."]
  http: [{{directResponse: {{status: {status}}}}}]
"""
HTTPBIN = "http://httpbin.default:8000/get"
MOMENT = 5.0
"""Seconds from a change until the answer is another one, with room for a busy machine: two commands are part of it."""


def _held(mesh: Mesh, workload: str, namespace: str = "default") -> dict[str, Any]:
    """What Envoy holds, with the version and the time of each resource's last update."""
    done = mesh.exec(
        workload, "curl", "-s", "http://127.0.0.1:15000/config_dump", namespace=namespace, container="istio-proxy"
    )
    kinds = ("ClustersConfigDump", "ListenersConfigDump", "RoutesConfigDump")
    return {kind: c for c in json.loads(done.out)["configs"] for kind in kinds if c["@type"].endswith(kind)}


def _answers(mesh: Mesh, code: int) -> float:
    """Seconds until a request from the namespace ``other`` is answered with ``code``."""
    begin = time.monotonic()
    while mesh.curl(HTTPBIN, namespace="other").code != code:
        assert time.monotonic() - begin < 10, f"no {code} within 10 s"
    return time.monotonic() - begin


@pytest.mark.row("CM-18", "XD-04")
def test_a_change_reaches_those_it_concerns_in_a_moment_and_no_others(mesh: Mesh) -> None:
    mesh.apply(in_namespace(documents_of(MANIFESTS / "curl.yaml"), "other"))
    mesh.run("rollout", "status", "deploy/curl", "-n", "other", "--timeout", "20s")
    pids = mesh.pod("curl", "other")["pids"]
    untouched, concerned = _held(mesh, "productpage-v1"), _held(mesh, "curl", "other")
    for number, status in enumerate((418, 451)):
        mesh.apply(TEAPOT.format(status=status), wait=False)
        assert _answers(mesh, status) < MOMENT, ("added", "updated")[number]
    mesh.run("delete", "virtualservice", "teapot", "-n", "other")
    assert _answers(mesh, 200) < MOMENT, "deleted"
    after = _held(mesh, "curl", "other")
    assert after["RoutesConfigDump"] != concerned["RoutesConfigDump"], "the route came and went"
    assert after["ClustersConfigDump"] == concerned["ClustersConfigDump"], "a route changes no cluster"
    assert _held(mesh, "productpage-v1") == untouched, "a proxy that may not see the object got something"
    assert mesh.pod("curl", "other")["pids"] == pids, "nothing was restarted"
