"""Attacks from outside the mesh and from inside. Each says what is refused, and that honest traffic goes on."""

import json

import pytest

from tests.e2e.mesh import Mesh
from tests.e2e.test_security import peer_authentication, policy
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
HTTPBIN = "http://httpbin.default:8000"
ADMIN = "By=spiffe://x;URI=spiffe://cluster.local/ns/default/sa/admin"


def honest(mesh: Mesh) -> None:
    """Also at the begin of a test: connections that stay open may carry one more request under a former policy."""
    eventually(lambda: mesh.curl(f"{HTTPBIN}/get").code, lambda code: code == 200)


def denied(mesh: Mesh, path: str, *arguments: str) -> None:
    """A sidecar's older connections may each carry one more request under the old rules, so ask until they are gone."""
    eventually(lambda: mesh.curl(f"{HTTPBIN}{path}", *arguments).code, lambda code: code == 403)


@pytest.mark.row("PA-02", "PA-09", "IL-05")
@pytest.mark.parametrize("port", [8080, 15006, 15001])
def test_a_pod_address_is_no_way_around_the_sidecar(mesh: Mesh, port: int) -> None:
    mesh.apply(peer_authentication("STRICT"))
    address = mesh.pod("httpbin")["ip"]
    refused = eventually(
        lambda: mesh.curl(f"http://{address}:{port}/headers", namespace="plain"), lambda reply: reply.code == 0
    )
    assert refused.body == ""
    honest(mesh)


@pytest.mark.row("IL-06")
def test_the_gateway_takes_away_identities_that_callers_claim(mesh: Mesh) -> None:
    mesh.apply(
        """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: attack}
spec:
  hosts: [attack.example]
  gateways: [bookinfo-gateway]
  http: [{route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
"""
    )
    forged = {
        "host": "attack.example",
        "x-forwarded-client-cert": ADMIN,
        "x-envoy-peer-metadata": "AAAA",
        "x-envoy-peer-metadata-id": "sidecar~1.1.1.1~admin.default~x",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-internal": "true",
        "x-envoy-decorator-operation": "forged",
    }
    reply = eventually(lambda: mesh.browse("/headers", forged), lambda reply: reply.code == 200)
    seen = {name.lower(): value for name, value in json.loads(reply.body)["headers"].items()}
    assert "sa/admin" not in json.dumps(seen)
    assert "1.1.1.1" not in json.dumps(seen)
    assert "x-envoy-internal" not in seen
    assert seen.get("x-envoy-decorator-operation") != ["forged"]


def test_peer_headers_do_not_reach_an_application(mesh: Mesh) -> None:
    shown = mesh.curl(f"{HTTPBIN}/headers", "-H", "x-envoy-peer-metadata: AAAA", "-H", "x-envoy-peer-metadata-id: x")
    assert "x-envoy-peer-metadata" not in shown.body.lower()


@pytest.mark.row("AP-24")
def test_no_spelling_of_a_path_gets_past_a_denial(mesh: Mesh) -> None:
    mesh.apply(policy("DENY", '{to: [{operation: {paths: ["/headers", "/headers/*", "/headers;*"]}}]}'))
    eventually(lambda: mesh.curl(f"{HTTPBIN}/headers").code, lambda code: code == 403)
    for spelling in ("/./headers", "/x/../headers", "/headers?x=/get", "/%68eaders", "/x/%2e%2e/headers", "/headers;x"):
        denied(mesh, spelling, "--path-as-is")
    honest(mesh)


@pytest.mark.row("AP-24", "MC-21")
def test_doubled_and_encoded_slashes_are_one_where_the_mesh_says_so(mesh: Mesh) -> None:
    mesh.apply(
        """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}"}
---
"""
        + policy("DENY", '{to: [{operation: {paths: ["/status/200"]}}]}')
    )
    for spelling in ("/status/200", "//status/200", "/status//200", "/status%2F200", "/status%5C200"):
        denied(mesh, spelling, "--path-as-is")
    honest(mesh)


def test_a_policy_by_host_is_not_avoided_by_case(mesh: Mesh) -> None:
    mesh.apply(policy("DENY", '{to: [{operation: {hosts: ["httpbin.default:8000", "httpbin.default"]}}]}'))
    eventually(lambda: mesh.curl(f"{HTTPBIN}/get").code, lambda code: code == 403)
    for host in ("HTTPBIN.default:8000", "httpbin.DEFAULT", "HttpBin.Default"):
        denied(mesh, "/get", "-H", f"host: {host}")
    assert mesh.curl("http://httpbin:8000/get").code == 200


def test_requests_of_two_lengths_are_refused(mesh: Mesh) -> None:
    both = ("-X", "POST", "-H", "content-length: 5", "-H", "transfer-encoding: chunked", "-d", "0")
    assert mesh.curl(f"{HTTPBIN}/post", *both).code in (0, 400)
    assert mesh.curl(f"{HTTPBIN}/get", "-H", "x-large: " + "a" * 100_000).code == 431
    honest(mesh)
