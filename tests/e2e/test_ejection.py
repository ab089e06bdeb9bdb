"""An endpoint that fails is taken out, and that shows (rows DR-37, DR-39)."""

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: httpbin}
spec:
  host: httpbin
  trafficPolicy:
    outlierDetection: {consecutive5xxErrors: 2, interval: 200ms, baseEjectionTime: 3s, maxEjectionPercent: 100}
"""
CLUSTER = "outbound|8000||httpbin.default.svc.cluster.local"


def _check(mesh: Mesh) -> list[str]:
    """The column OUTLIER CHECK of httpbin's endpoints, as the caller's Envoy holds them."""
    told = mesh.run("proxy-config", "endpoints", "deploy/curl", "--cluster", CLUSTER).out.splitlines()
    begin = told[0].index("OUTLIER CHECK")
    return [line[begin:].split()[0] for line in told[1:]]


@pytest.mark.row("DR-37", "DR-39")
def test_an_ejected_endpoint_shows_and_comes_back(mesh: Mesh) -> None:
    mesh.apply(RULE)
    assert _check(mesh) == ["OK"]
    for _ in range(2):
        assert mesh.curl("http://httpbin:8000/status/500").code == 500
    assert _check(mesh) == ["FAILED"]
    refused = mesh.curl("http://httpbin:8000/get")
    assert refused.code == 503
    assert "no healthy upstream" in refused.body
    eventually(lambda: mesh.curl("http://httpbin:8000/get").code, lambda code: code == 200)
    assert _check(mesh) == ["OK"]
