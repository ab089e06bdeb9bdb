"""Modes of mutual TLS change under load: proxies learn of it one after the other, and no request may notice."""

import time

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.test_security import HEADERS, peer_authentication

pytestmark = pytest.mark.lab
LEVELS = {
    "mesh": {"namespace": "istio-system"},
    "namespace": {},
    "workload": {"app": "httpbin"},
}


@pytest.mark.row("PA-03", "PA-10")
@pytest.mark.parametrize("level", LEVELS)
def test_no_request_fails_from_mode_to_mode(mesh: Mesh, level: str) -> None:
    with mesh.load(HEADERS) as load:
        for mode in ("DISABLE", "PERMISSIVE", "DISABLE", "PERMISSIVE", "STRICT", "PERMISSIVE"):
            mesh.apply(peer_authentication(mode, **LEVELS[level]))
            time.sleep(0.5)  # traffic in the new mode
    load.assert_no_failure()


@pytest.mark.row("PA-06", "PA-10")
def test_no_request_fails_while_one_port_changes_its_mode(mesh: Mesh) -> None:
    template = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: httpbin}}
spec:
  selector: {{matchLabels: {{app: httpbin}}}}
  mtls: {{mode: STRICT}}
  portLevelMtls: {{8080: {{mode: {mode}}}}}
"""
    with mesh.load(HEADERS) as load:
        for mode in ("PERMISSIVE", "DISABLE", "PERMISSIVE", "STRICT"):
            mesh.apply(template.format(mode=mode))
            time.sleep(0.5)
    load.assert_no_failure()
