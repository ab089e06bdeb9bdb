"""What pods trust, while it changes: revoked authorities, other trust domains, roots that somebody deletes."""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.load import POD_PYTHON
from tests.e2e.mesh import MANIFESTS, Document, Mesh, documents_of
from tests.e2e.test_authority import STRICT, secret
from tests.e2e.test_security import policy
from tests.e2e.waiting import eventually
from tests.fakes.authorities import Ca, crl, files

pytestmark = pytest.mark.lab
URL = "http://httpbin:8000/headers"
INJECTED = """
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
"""
SHORT = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: httpbin}
spec: {host: httpbin, trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 20}}}}
"""
"""Connections end soon, for one that is open keeps the certificates that it began with."""
HANDSHAKE = """
import base64, json, ssl, sys
directory, address = sys.argv[1:]
def inline(path, *keys):
    found = json.load(open(path))["resources"][0]
    for key in keys:
        found = found[key]
    return base64.b64decode(found["inline_bytes"]).decode()
own = f"{directory}/default.json"
open("/tmp/pair.pem", "w").write(inline(own, "tls_certificate", "private_key") + inline(own, "tls_certificate", "certificate_chain"))
context = ssl.create_default_context(cadata=inline("/etc/istio/proxy/sds/ROOTCA.json", "validation_context", "trusted_ca"))
context.check_hostname = False
context.load_cert_chain("/tmp/pair.pem")
context.set_alpn_protocols(["istio-http/1.1", "istio", "http/1.1"])
import socket
with socket.create_connection((address, 8080), 5) as plain, context.wrap_socket(plain) as connection:
    connection.sendall(b"GET /status/200 HTTP/1.1\\r\\nhost: httpbin\\r\\nconnection: close\\r\\n\\r\\n")
    print(connection.recv(12).decode())
"""


def workloads(lifetime: str = "") -> list[Document]:
    documents = [*documents_of(MANIFESTS / "httpbin.yaml"), *documents_of(MANIFESTS / "curl.yaml")]
    for document in documents:
        if lifetime and document["kind"] == "Deployment":
            settings = json.dumps({"proxyMetadata": {"SECRET_TTL": lifetime}})
            document["spec"]["template"]["metadata"].setdefault("annotations", {})["proxy.istio.io/config"] = settings
    return documents


def identity(mesh: Mesh) -> str:
    """Who calls, as the server sees it."""
    reply = mesh.curl(URL)
    if reply.code != 200:
        return ""
    return str(json.loads(reply.body)["headers"]["X-Forwarded-Client-Cert"][0]).rpartition("URI=")[2]


def secrets_of(mesh: Mesh, name: str) -> dict[str, Document]:
    """The secrets that a sidecar holds, by name, as Envoy's config dump has them."""
    shown = mesh.run("proxy-config", "secret", f"deploy/{name}", "-o", "json").json()
    found = {}
    for entry in _dicts(shown):
        if "secret" in entry and "name" in entry:
            found[entry["name"]] = entry["secret"]
    return found


def _dicts(value: object) -> Iterator[Document]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _dicts(inner)


@pytest.mark.row("CR-05", "CR-07", "CR-10", "CW-02", "CW-05")
def test_an_authority_is_revoked_and_its_certificates_are_worth_nothing(new_mesh: Callable[[], Mesh]) -> None:
    root = Ca("root")
    one, two = Ca("between-one", root), Ca("between-two", root)
    mesh = new_mesh()
    fine = files(one, root) | {"ca-crl.pem": crl(root) + crl(one)}
    mesh.up([*documents_of(INJECTED), *secret(fine), *documents_of(STRICT), *workloads()])
    eventually(lambda: mesh.curl(URL).code, lambda status: status == 200, 20)
    mesh.exec("curl", "cp", "-r", "/etc/istio/proxy/sds", "/tmp/old", container="istio-proxy")
    address = mesh.pod("httpbin")["ip"]

    def handshake(directory: str) -> str:
        done = mesh.exec("curl", POD_PYTHON, "-c", HANDSHAKE, directory, address, container="istio-proxy")
        return done.out.strip() if done.code == 0 else ""

    assert handshake("/tmp/old").startswith("HTTP/1.1 200")
    assert {"default", "ROOTCA"} <= secrets_of(mesh, "httpbin").keys()

    mesh.apply(secret(files(two, root) | {"ca-crl.pem": crl(root, one) + crl(one) + crl(two)}), wait=False)
    eventually(lambda: handshake("/tmp/old"), lambda answer: answer == "", 20)
    eventually(lambda: handshake("/etc/istio/proxy/sds"), lambda answer: answer.startswith("HTTP/1.1 200"), 20)
    eventually(lambda: mesh.curl(URL).code, lambda status: status == 200, 20)
    assert "crl" in secrets_of(mesh, "httpbin")["ROOTCA"]["validation_context"]

    # What carries the roots heals, and pods that come after the exchange are injected and trusted.
    mesh.run("delete", "configmap", "istio-ca-root-cert")
    shown = mesh.run("get", "configmap", "istio-ca-root-cert", "-o", "json").json()
    assert shown["data"]["root-cert.pem"] == root.pem
    mesh.run("scale", "deploy/httpbin", "--replicas", "2")
    mesh.run("rollout", "status", "deploy/httpbin", "--timeout", "30s", seconds=40)
    assert all(pod["ready"] for pod in mesh.pods("httpbin"))
    eventually(lambda: mesh.curl(URL).code, lambda status: status == 200, 20)


def mesh_config(**fields: object) -> list[Document]:
    meta = {"name": "istio", "namespace": "istio-system"}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"mesh": json.dumps(fields)}}]


@pytest.mark.row("CR-09")
def test_no_request_fails_while_the_mesh_moves_to_another_trust_domain(new_mesh: Callable[[], Mesh]) -> None:
    mesh = new_mesh()
    allowed = policy("ALLOW", "{from: [{source: {principals: [old.example/ns/default/sa/curl]}}]}")
    rules = [*documents_of(STRICT), *documents_of(allowed), *documents_of(SHORT)]
    mesh.up([*documents_of(INJECTED), *mesh_config(trustDomain="old.example"), *rules, *workloads("20s")])
    old, new = ("spiffe://old.example/ns/default/sa/curl", "spiffe://new.example/ns/default/sa/curl")
    eventually(lambda: identity(mesh), lambda found: found == old, 20)
    with mesh.load(URL) as load:
        mesh.apply(mesh_config(trustDomain="new.example", trustDomainAliases=["old.example"]))
        eventually(lambda: identity(mesh), lambda found: found == new, 30)
        time.sleep(8)  # the servers' certificates, too, have been replaced by then
    load.assert_no_failure()
    # Without the alias the policy names nobody of this mesh any more.
    mesh.apply(mesh_config(trustDomain="new.example"))
    eventually(lambda: mesh.curl(URL).code, lambda status: status == 403, 20)
