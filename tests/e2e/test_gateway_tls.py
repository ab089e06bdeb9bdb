"""TLS at gateways over time: files and Secrets that change, clients that are revoked or not the ones that are meant."""

from __future__ import annotations

import base64
import datetime
import hashlib
import http.client
import socket
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.conformance.material import Material
from tests.e2e.mesh import Document, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab

HOST = "tls.example"
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: tls, namespace: default}
spec:
  selector: {istio: %s}
  servers:
  - port: {number: %s, name: https, protocol: HTTPS}
    hosts: [tls.example]
    tls: {%s}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tls, namespace: default}
spec:
  hosts: [tls.example]
  gateways: [tls]
  http: [{route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
"""
MOUNTED = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: filed, namespace: default}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: filed, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {istio: filed}}
  template:
    metadata:
      labels: {istio: filed, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      serviceAccountName: filed
      containers:
      - name: istio-proxy
        image: auto
        volumeMounts: [{name: certs, mountPath: /etc/certs, readOnly: true}]
      volumes: [{name: certs, secret: {secretName: filed}}]
"""
FILES = "serverCertificate: /etc/certs/tls.crt, privateKey: /etc/certs/tls.key, caCertificates: /etc/certs/ca.crt"


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """Two authorities, ``one`` and ``two``, and whatever they sign."""
    return Material(tmp_path, lambda name: name, "")


def secret(name: str, namespace: str, **texts: str) -> Document:
    data = {key.replace("_", "."): base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}


def pair(material: Material, signer: str) -> dict[str, str]:
    chain, key = material.leaf(f"{signer}/{HOST}")
    return {"tls_crt": chain, "tls_key": key}


def revoked(material: Material, signer: str, *leaves: str) -> str:
    """The signer's list of revoked certificates."""
    _, authority, key = material.authority(signer)
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.subject)
    builder = builder.last_update(now - datetime.timedelta(hours=1)).next_update(now + datetime.timedelta(days=1))
    for leaf in leaves:
        serial = x509.load_pem_x509_certificate(leaf.encode()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class Edge:
    """A gateway's TLS port as a client outside the mesh sees it."""

    def __init__(self, address: tuple[str, int], material: Material) -> None:
        self._address, self._material = address, material

    def open(self, trusted: str, client: str = "") -> http.client.HTTPSConnection:
        """A new connection. Raises OSError when the handshake fails."""
        context = ssl.create_default_context(cadata=self._material.authority(trusted)[0])
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # so that a refused client certificate fails the handshake
        if client:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write("".join(reversed(self._material.leaf(client))))
                file.flush()
                context.load_cert_chain(file.name)
        connection = http.client.HTTPSConnection(HOST, 443, context=context)
        raw = socket.create_connection(self._address, timeout=10)
        try:
            connection.sock = context.wrap_socket(raw, server_hostname=HOST)
        except OSError:
            raw.close()
            raise
        return connection

    def status(self, trusted: str, client: str = "") -> int | str:
        """What one request on a new connection is answered; the reason where there is no connection."""
        try:
            connection = self.open(trusted, client)
        except OSError as error:
            return type(error).__name__
        try:
            return answered(connection)
        finally:
            connection.close()


def answered(connection: http.client.HTTPSConnection) -> int:
    connection.request("GET", "/status/200")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def refused(status: int | str) -> bool:
    return isinstance(status, str)


@pytest.fixture
def edge(mesh: Mesh, material: Material) -> Edge:
    """The ingress gateway."""
    (pod,) = mesh.pods("istio-ingressgateway", "istio-system")
    return Edge((pod["ip"], 8443), material)


@pytest.mark.row("GW-17", "GW-12", "CG-06")
def test_a_secret_is_exchanged_without_ending_a_connection(mesh: Mesh, edge: Edge, material: Material) -> None:
    mesh.apply([secret("turned", "istio-system", **pair(material, "one"))])
    mesh.apply(GATEWAY % ("ingressgateway", 443, "mode: SIMPLE, credentialName: turned"))
    eventually(lambda: edge.status("one"), lambda status: status == 200)
    before = edge.open("one")
    assert answered(before) == 200
    mesh.apply([secret("turned", "istio-system", **pair(material, "two"))])
    eventually(lambda: edge.status("two"), lambda status: status == 200)
    assert refused(edge.status("one")), "new connections get the new certificate alone"
    assert answered(before) == 200, "what was open goes on"
    before.close()


@pytest.mark.row("GW-18")
def test_mounted_files_are_exchanged_without_ending_a_connection(
    mesh: Mesh, material: Material, deployed: Callable[[], Edge]
) -> None:
    mesh.apply(GATEWAY % ("filed", 8443, f"mode: SIMPLE, {FILES.partition(', ca')[0]}"))
    edge = deployed()
    eventually(lambda: edge.status("one"), lambda status: status == 200)
    before = edge.open("one")
    assert answered(before) == 200
    mesh.apply([secret("filed", "default", ca_crt=material.authority("one")[0], **pair(material, "two"))])
    eventually(lambda: edge.status("two"), lambda status: status == 200, 20)
    assert answered(before) == 200
    before.close()


@pytest.mark.row("GW-20")
def test_a_list_of_revoked_clients_in_a_file(mesh: Mesh, material: Material, deployed: Callable[[], Edge]) -> None:
    mesh.apply(GATEWAY % ("filed", 8443, f"mode: MUTUAL, caCrl: /etc/certs/ca.crl, {FILES}"))
    edge = deployed()
    eventually(lambda: edge.status("one", "one/good.example"), lambda status: status == 200)
    assert refused(edge.status("one", "one/bad.example"))
    assert refused(edge.status("one"))


@pytest.fixture
def deployed(mesh: Mesh, material: Material) -> Callable[[], Edge]:
    """A gateway with certificates in files; ``one`` has revoked bad.example."""
    bad = material.leaf("one/bad.example")[0]
    files = {"ca_crt": material.authority("one")[0], "ca_crl": revoked(material, "one", bad)}
    mesh.apply([secret("filed", "default", **pair(material, "one"), **files)])
    mesh.apply(MOUNTED)

    def ready() -> Edge:
        eventually(lambda: [pod["ready"] for pod in mesh.pods("filed")], lambda found: found == [True], 40)
        (pod,) = mesh.pods("filed")
        return Edge((pod["ip"], 8443), material)

    return ready


@pytest.mark.row("GW-20")
def test_a_list_of_revoked_clients_in_the_secret(mesh: Mesh, edge: Edge, material: Material) -> None:
    roots = {"ca_crt": material.authority("two")[0]}
    mesh.apply([secret("listed", "istio-system", **pair(material, "one"), **roots)])
    mesh.apply(GATEWAY % ("ingressgateway", 443, "mode: MUTUAL, credentialName: listed"))
    eventually(lambda: edge.status("one", "two/bad.example"), lambda status: status == 200)
    crl = revoked(material, "two", material.leaf("two/bad.example")[0])
    mesh.apply([secret("listed", "istio-system", **pair(material, "one"), **roots, ca_crl=crl)])
    eventually(lambda: edge.status("one", "two/bad.example"), refused)
    assert edge.status("one", "two/good.example") == 200


@pytest.mark.row("GW-21")
@pytest.mark.parametrize("kind", ["verifyCertificateSpki", "verifyCertificateHash"])
def test_only_the_certificates_that_are_pinned(mesh: Mesh, edge: Edge, material: Material, kind: str) -> None:
    good = x509.load_pem_x509_certificate(material.leaf("two/good.example")[0].encode())
    public = good.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    spki = base64.b64encode(hashlib.sha256(public).digest()).decode()
    pin = spki if kind == "verifyCertificateSpki" else good.fingerprint(hashes.SHA256()).hex()
    roots = {"ca_crt": material.authority("two")[0]}
    mesh.apply([secret(f"pinned-{kind.lower()}", "istio-system", **pair(material, "one"), **roots)])
    tls = f"mode: MUTUAL, credentialName: pinned-{kind.lower()}, {kind}: ['{pin}']"
    mesh.apply(GATEWAY % ("ingressgateway", 443, tls))
    eventually(lambda: edge.status("one", "two/good.example"), lambda status: status == 200)
    assert refused(edge.status("one", "two/other.example"))


SIDECAR = """
apiVersion: v1
kind: Pod
metadata:
  name: own-tls
  namespace: default
  labels: {app: own-tls}
  annotations:
    sidecar.istio.io/userVolume: '{"certs": {"secret": {"secretName": "filed"}}}'
    sidecar.istio.io/userVolumeMount: '{"certs": {"mountPath": "/etc/certs", "readOnly": true}}'
spec: {containers: [{name: app, image: go-httpbin}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: own-tls, namespace: default}
spec:
  selector: {matchLabels: {app: own-tls}}
  portLevelMtls: {9443: {mode: DISABLE}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own-tls, namespace: default}
spec:
  workloadSelector: {labels: {app: own-tls}}
  ingress:
  - port: {number: 9443, name: https, protocol: HTTPS}
    defaultEndpoint: 127.0.0.1:8080
    tls: {mode: MUTUAL, serverCertificate: /etc/certs/tls.crt, privateKey: /etc/certs/tls.key, caCertificates: /etc/certs/ca.crt}
"""


@pytest.mark.row("SC-05")
def test_a_sidecar_ends_tls_of_the_users_own(mesh: Mesh, material: Material) -> None:
    mesh.apply([secret("filed", "default", ca_crt=material.authority("two")[0], **pair(material, "one"))])
    mesh.apply(SIDECAR)
    eventually(lambda: [pod["ready"] for pod in mesh.pods("own-tls")], lambda found: found == [True], 40)
    edge = Edge((mesh.pod("own-tls")["ip"], 9443), material)
    eventually(lambda: edge.status("one", "two/client.example"), lambda status: status == 200, 20)
    assert refused(edge.status("one"))
    assert refused(edge.status("one", "one/client.example"))
