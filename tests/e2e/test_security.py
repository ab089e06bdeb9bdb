"""Identities, mutual TLS modes, authorization, certificate rotation."""

import base64
import json
import time

import pytest

from tests.e2e.conftest import in_namespace
from tests.e2e.mesh import MANIFESTS, Mesh, Reply, documents_of
from tests.e2e.waiting import eventually, settled

pytestmark = pytest.mark.lab
HEADERS = "http://httpbin.default:8000/headers"


def peer_authentication(mode: str, namespace: str = "default", app: str = "") -> str:
    """A mode for the mesh (namespace istio-system), for a namespace, or for one app."""
    selector = f"selector: {{matchLabels: {{app: {app}}}}}\n  " if app else ""
    return f"""
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: {app or "default"}, namespace: {namespace}}}
spec:
  {selector}mtls: {{mode: {mode}}}
"""


def policy(action: str, rule: str, name: str = "httpbin") -> str:
    """An AuthorizationPolicy for httpbin with one rule."""
    return f"""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {name}}}
spec:
  selector: {{matchLabels: {{app: httpbin}}}}
  action: {action}
  rules: [{rule}]
"""


def plaintext(mesh: Mesh) -> Reply:
    """A request from the pod without a sidecar."""
    return mesh.curl(HEADERS, namespace="plain")


def code(mesh: Mesh, url: str = HEADERS, *arguments: str, workload: str = "curl") -> int:
    """The status that a pod with a sidecar gets, when connections of before a change are gone."""
    return settled(lambda: mesh.curl(url, *arguments, workload=workload).code)


@pytest.mark.row("IL-06")
def test_the_application_sees_both_identities(mesh: Mesh) -> None:
    (value,) = json.loads(mesh.curl(HEADERS).body)["headers"]["X-Forwarded-Client-Cert"]
    fields = dict(part.partition("=")[::2] for part in value.split(";"))
    assert fields["By"] == "spiffe://cluster.local/ns/default/sa/httpbin"
    assert fields["URI"] == "spiffe://cluster.local/ns/default/sa/curl"
    assert len(fields["Hash"]) == 64


def test_a_caller_cannot_bring_its_own_identity_header(mesh: Mesh) -> None:
    forged = "By=spiffe://x;URI=spiffe://cluster.local/ns/default/sa/admin"
    shown = json.loads(mesh.curl(HEADERS, "-H", f"x-forwarded-client-cert: {forged}").body)
    last = shown["headers"]["X-Forwarded-Client-Cert"][-1].rpartition("URI=")[2]
    assert last == "spiffe://cluster.local/ns/default/sa/curl", "the last entry is the sidecar's own"


@pytest.mark.row("PA-01")
def test_permissive_accepts_plaintext_and_mutual_tls(mesh: Mesh) -> None:
    reply = plaintext(mesh)
    assert reply.code == 200
    assert "X-Forwarded-Client-Cert" not in reply.body
    assert "X-Forwarded-Client-Cert" in mesh.curl(HEADERS).body


@pytest.mark.row("PA-02")
@pytest.mark.parametrize(
    "where", [{"namespace": "istio-system"}, {}, {"app": "httpbin"}], ids=["mesh", "namespace", "workload"]
)
def test_strict_refuses_plaintext_at_every_level(mesh: Mesh, where: dict[str, str]) -> None:
    mesh.apply(peer_authentication("STRICT", **where))
    refused = eventually(lambda: plaintext(mesh), lambda reply: reply.code == 0)
    assert "exit 56" in refused.error or "exit 52" in refused.error, refused
    assert code(mesh) == 200


def test_a_workload_may_be_permissive_in_a_strict_namespace(mesh: Mesh) -> None:
    mesh.apply(peer_authentication("STRICT") + "---" + peer_authentication("PERMISSIVE", app="httpbin"))
    eventually(
        lambda: mesh.curl("http://details.default:9080/details/0", namespace="plain"), lambda reply: reply.code == 0
    )
    assert plaintext(mesh).code == 200


@pytest.mark.row("PA-03")
def test_disable_makes_callers_with_a_sidecar_use_plaintext(mesh: Mesh) -> None:
    mesh.apply(peer_authentication("DISABLE", app="httpbin"))
    reply = eventually(lambda: mesh.curl(HEADERS), lambda reply: "X-Forwarded-Client-Cert" not in reply.body)
    assert reply.code == 200


@pytest.mark.row("AP-01")
def test_deny_by_service_account(mesh: Mesh) -> None:
    mesh.apply(policy("DENY", "{from: [{source: {principals: [cluster.local/ns/default/sa/curl]}}]}"))
    denied = eventually(lambda: mesh.curl(HEADERS), lambda reply: reply.code == 403)
    assert denied.body == "RBAC: access denied"
    assert code(mesh, workload="productpage-v1") == 200
    assert plaintext(mesh).code == 200, "a caller without identity is not the denied one"


def test_allow_by_service_account_denies_everybody_else(mesh: Mesh) -> None:
    mesh.apply(policy("ALLOW", "{from: [{source: {principals: [cluster.local/ns/default/sa/curl]}}]}"))
    eventually(lambda: code(mesh, workload="productpage-v1"), lambda status: status == 403)
    assert code(mesh) == 200
    assert plaintext(mesh).code == 403


def test_allow_by_method_and_path(mesh: Mesh) -> None:
    mesh.apply(policy("ALLOW", '{to: [{operation: {methods: [GET], paths: ["/headers", "/status/*"]}}]}'))
    eventually(lambda: code(mesh, "http://httpbin:8000/get"), lambda status: status == 403)
    assert code(mesh) == 200
    assert code(mesh, "http://httpbin:8000/status/204") == 204
    assert code(mesh, HEADERS, "-X", "POST") == 403


def test_deny_wins_over_allow_and_namespaces_match(mesh: Mesh) -> None:
    allow = policy("ALLOW", "{from: [{source: {namespaces: [default]}}]}", "allow")
    deny = policy("DENY", '{to: [{operation: {paths: ["/status/*"]}}]}', "deny")
    mesh.apply(f"{allow}---{deny}")
    eventually(lambda: code(mesh, "http://httpbin:8000/status/200"), lambda status: status == 403)
    assert code(mesh) == 200
    assert plaintext(mesh).code == 403


@pytest.mark.row("AP-02")
def test_an_empty_allow_policy_allows_nothing(mesh: Mesh) -> None:
    mesh.apply("""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nothing}
spec: {selector: {matchLabels: {app: httpbin}}}
""")
    eventually(lambda: code(mesh), lambda status: status == 403)
    assert code(mesh, "http://details:9080/details/0") == 200, "another workload is not concerned"


def test_no_request_fails_from_permissive_to_strict_and_back(mesh: Mesh) -> None:
    with mesh.load(HEADERS) as load:
        for mode in ("STRICT", "PERMISSIVE", "STRICT", "PERMISSIVE"):
            mesh.apply(peer_authentication(mode))
            time.sleep(0.5)  # traffic in the new mode
    load.assert_no_failure()


@pytest.mark.row("AG-03", "CW-03")
def test_no_request_fails_while_certificates_of_20_s_rotate(mesh: Mesh) -> None:
    documents = in_namespace(
        [*documents_of(MANIFESTS / "httpbin.yaml"), *documents_of(MANIFESTS / "curl.yaml")], "other"
    )
    for document in documents:
        if document["kind"] == "Deployment":
            settings = json.dumps({"proxyMetadata": {"SECRET_TTL": "20s"}})
            document["spec"]["template"]["metadata"]["annotations"] = {"proxy.istio.io/config": settings}
    mesh.apply(documents)

    def expiries() -> dict[str, str]:
        return {name: mesh.pod(name, "other")["cert_expires"] for name in ("curl", "httpbin")}

    eventually(lambda: mesh.curl("http://httpbin:8000/get", namespace="other").code, lambda status: status == 200, 30)
    before = expiries()
    with mesh.load("http://httpbin:8000/get", namespace="other") as load:
        eventually(expiries, lambda now: all(now[name] > before[name] for name in before), 15)
        middle = expiries()
        eventually(expiries, lambda now: all(now[name] > middle[name] for name in before), 15)
    load.assert_no_failure()
    shown = json.loads(mesh.curl("http://httpbin:8000/headers", namespace="other").body)
    assert "spiffe://cluster.local/ns/other/sa/curl" in shown["headers"]["X-Forwarded-Client-Cert"][0]


def test_private_keys_stay_out_of_what_a_mesh_shows(mesh: Mesh) -> None:
    shown = mesh.run("proxy-config", "all", "deploy/httpbin", "-o", "json").out + mesh.logs(
        "httpbin", container="istio-proxy"
    )
    assert "PRIVATE KEY" not in shown
    assert base64.b64encode(b"-----BEGIN PRIVATE KEY").decode()[:24] not in shown
    assert base64.b64encode(b"-----BEGIN EC PRIVATE KEY").decode()[:24] not in shown
