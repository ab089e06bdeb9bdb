"""Ways to capture a real pod's traffic: TPROXY keeps the client's address, NONE captures nothing."""

import json

import pytest

from tests.e2e.load import POD_PYTHON
from tests.e2e.mesh import Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

SERVER = """
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = json.dumps({"from": self.client_address[0], "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def workload(name: str, mode: str) -> list[dict[str, object]]:
    """A web server that tells who called it, with capture of this mode, and its Service."""
    container = {
        "name": "app",
        "image": "pause",
        "command": [POD_PYTHON, "-c", SERVER],
        "ports": [{"containerPort": 8080}],
    }
    meta = {"labels": {"app": name}, "annotations": {"sidecar.istio.io/interceptionMode": mode}}
    spec = {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": meta, "spec": {"containers": [container]}},
    }
    port = {"name": "http", "port": 80, "targetPort": 8080}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"selector": {"app": name}, "ports": [port]},
        },
    ]


def seen(mesh: Mesh, name: str) -> dict[str, object]:
    """What the server saw of a request by the pod ``curl``."""
    reply = eventually(lambda: mesh.curl(f"http://{name}.default/"), lambda found: found.code == 200, seconds=30)
    found = json.loads(reply.body)
    assert isinstance(found, dict)
    return found


@pytest.mark.row("TC-07")
def test_with_tproxy_the_app_sees_the_clients_address(mesh: Mesh) -> None:
    mesh.apply([*workload("kept", "TPROXY"), *workload("hidden", "REDIRECT")])
    client = mesh.pod("curl")["ip"]
    kept = seen(mesh, "kept")
    assert kept["from"] == client
    assert "x-forwarded-client-cert" in kept["headers"], "the request did not come through the proxy"  # type: ignore[operator]
    assert seen(mesh, "hidden")["from"] == "127.0.0.6"

    # Its own calls go out by its proxy, and one to itself comes back in.
    def call(url: str) -> str:
        script = f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=10).read().decode())"
        return mesh.exec("kept", POD_PYTHON, "-c", script, container="app").out

    answer = json.loads(eventually(lambda: call("http://hidden.default/"), bool, seconds=20))
    assert "ns/default/sa/default" in answer["headers"]["x-forwarded-client-cert"]
    assert json.loads(eventually(lambda: call("http://kept.default/"), bool, seconds=20))["headers"]["host"]


@pytest.mark.row("TC-08")
def test_without_capture_the_app_dials_loopback_and_its_sidecar_does_the_rest(mesh: Mesh) -> None:
    mesh.apply(workload("free", "NONE"))
    mesh.apply(
        """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: free}
spec:
  workloadSelector: {labels: {app: free}}
  ingress:
    - {port: {number: 9080, protocol: HTTP, name: http}, defaultEndpoint: "127.0.0.1:8080"}
  egress: [{hosts: ["./*"]}]
---
apiVersion: v1
kind: Service
metadata: {name: free-by-proxy}
spec: {selector: {app: free}, ports: [{name: http, port: 9000, targetPort: 9080}]}
"""
    )

    def call(url: str, host: str) -> str:
        script = (
            "import urllib.request as u; "
            f"print(u.urlopen(u.Request({url!r}, headers={{'host': {host!r}}}), timeout=10).read().decode())"
        )
        return mesh.exec("free", POD_PYTHON, "-c", script, container="app").out

    # Nothing is captured: the app itself answers on its own port, and the proxy on the one that the Sidecar names.
    assert "istio-init" not in str(mesh.exec("free", "true").err)
    by_proxy = eventually(lambda: mesh.curl("http://free-by-proxy.default:9000/"), lambda found: found.code == 200, 30)
    found = json.loads(by_proxy.body)
    assert found["from"] == "127.0.0.1"
    assert "ns/default/sa/curl" in found["headers"]["x-forwarded-client-cert"]
    # Out it goes by loopback, on the service's port.
    answer = eventually(lambda: call("http://127.0.0.1:8000/headers", "httpbin.default"), bool, seconds=20)
    assert "X-Forwarded-Client-Cert" in answer
