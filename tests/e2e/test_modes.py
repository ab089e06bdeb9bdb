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
PORT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: httpbin}}
spec:
  selector: {{matchLabels: {{app: httpbin}}}}
  mtls: {{mode: STRICT}}
  portLevelMtls: {{8080: {{mode: {mode}}}}}
"""


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
    with mesh.load(HEADERS) as load:
        for mode in ("PERMISSIVE", "DISABLE", "PERMISSIVE", "STRICT"):
            mesh.apply(PORT.format(mode=mode))
            time.sleep(0.5)
    load.assert_no_failure()


@pytest.mark.row("PA-10")
def test_a_client_that_turns_to_mutual_tls_leaves_its_plaintext_connections(mesh: Mesh) -> None:
    mesh.apply(PORT.format(mode="DISABLE"))
    with mesh.load(HEADERS):
        pass  # the sidecar keeps some of these connections
    mesh.apply(PORT.format(mode="PERMISSIVE"))
    assert "".join(mesh.lines(HEADERS, 40)).count("URI=spiffe://") == 40
