from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mizzen.analyze.gateway_pods import ports, secrets
from tests.unit.analyze.estates import NOW, Json, fields, found, messages, obj, pod, service

PODS = [pod("gw", "edge", app="gw")]


def gateway(port: int = 80, credential: str = "", selector: dict[str, str] | None = None) -> Json:
    server: Json = {"port": {"number": port, "name": "p", "protocol": "HTTPS"}, "hosts": ["*"]}
    if credential:
        server["tls"] = {"mode": "SIMPLE", "credentialName": credential}
    return obj("Gateway", "g", {"selector": selector or {"app": "gw"}, "servers": [server]})


def edge(*entries: Json, **spec: Any) -> Json:
    return service("s", *entries, namespace="edge", **{"selector": {"app": "gw"}, **spec})


@pytest.mark.row("IM-03")
def test_a_selector_that_finds_no_pod() -> None:
    assert fields(ports, gateway(), pod("other", app="x")) == [("IST0101", 'spec.selector["app"]')]
    assert "app=gw" in messages(ports, gateway())[0]
    assert fields(ports, gateway(), *PODS, edge({"port": 80, "protocol": "TCP"})) == []


@pytest.mark.row("IM-39")
@pytest.mark.parametrize(("entry", "good"), [
    ({"port": 80, "protocol": "TCP"}, {80}),
    ({"port": 80, "targetPort": 8080, "protocol": "TCP"}, {80, 8080}),
    ({"port": 80, "targetPort": "web", "protocol": "TCP"}, {80}),
    ({"port": 80, "protocol": "UDP"}, set()),
    ({"port": 80}, set()),
])  # fmt: skip
def test_a_port_that_no_service_leads_to(entry: Json, good: set[int]) -> None:
    for port in (80, 8080):
        told = fields(ports, gateway(port), *PODS, edge(entry))
        assert told == ([] if port in good else [("IST0162", 'spec.selector["app"]')])


@pytest.mark.row("IM-39")
def test_which_services_lead_to_the_pods() -> None:
    entry = {"port": 80, "protocol": "TCP"}
    told = [("IST0162", 'spec.selector["app"]')]
    assert fields(ports, gateway(), *PODS, service("s", entry, selector={"app": "gw"})) == told
    assert fields(ports, gateway(), *PODS, edge(entry, selector={"app": "other"})) == told
    assert fields(ports, gateway(), *PODS, service("s", entry, namespace="edge")) == []


@pytest.mark.row("IM-39")
def test_the_gateway_of_every_installation() -> None:
    def codes(port: int, **mesh: Any) -> list[str]:
        wanted = gateway(port, selector={"istio": "ingressgateway"})
        return [code for code, _ in fields(ports, wanted, files_only=True, mesh=mesh)]

    assert [codes(port) for port in (80, 443, 8080, 8003)] == [[], [], [], ["IST0162"]]
    assert codes(80, ingressControllerMode="OFF") == ["IST0101"]


def certificate(begin: int = -1, end: int = 1) -> bytes:
    """A certificate for so many days around now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW + timedelta(days=begin)).not_valid_after(NOW + timedelta(days=end))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def secret(namespace: str = "edge", **data: bytes) -> Json:
    """A secret with these values; ``_`` in a key is a dot."""
    held = {key.replace("_", "."): base64.b64encode(value).decode() for key, value in data.items()}
    return obj("Secret", "c", namespace=namespace, data=held)


@pytest.mark.row("IM-03")
def test_a_secret_that_is_not_there() -> None:
    field = "spec.servers[0].tls.credentialName"
    assert fields(secrets, gateway(credential="c"), *PODS) == [("IST0101", field)]
    good = secret(tls_crt=certificate(), tls_key=b"k")
    assert fields(secrets, gateway(credential="c"), *PODS, good) == []
    away = secret("default", tls_crt=certificate(), tls_key=b"k")
    assert fields(secrets, gateway(credential="c"), *PODS, away) == [("IST0101", field)]
    assert fields(secrets, gateway(credential="default/c"), *PODS, away) == []
    assert fields(secrets, gateway(credential="c")) == [("IST0101", 'spec.selector["app"]')]


@pytest.mark.row("IM-38")
def test_a_secret_of_no_use() -> None:
    told = [("IST0161", "Gateway default/g")]
    good = certificate()
    for held in (
        secret(), secret(tls_crt=good), secret(tls_key=b"k"), secret(tls_crt=b"no PEM", tls_key=b"k"),
        secret(tls_crt=certificate(-9, -1), tls_key=b"k"), secret(cert=certificate(1, 9), key=b"k"),
        secret(tls_crt=good.replace(b"MII", b"AAA"), tls_key=b"k"),
    ):  # fmt: skip
        assert found(secrets, gateway(credential="c"), *PODS, held) == told
    for held in (secret(cert=good, key=b"k"), secret(tls_crt=good + certificate(-9, -1), tls_key=b"k")):
        assert found(secrets, gateway(credential="c"), *PODS, held) == []
    plain = obj("Secret", "c", namespace="edge", stringData={"tls.crt": good.decode(), "tls.key": "k"})
    assert found(secrets, gateway(credential="c"), *PODS, plain) == []
    cut = good[: good.index(b"-----END")]
    assert found(secrets, gateway(credential="c"), *PODS, secret(tls_crt=cut, tls_key=b"k")) == told
    assert found(secrets, gateway(credential="c"), *PODS, secret(tls_crt=certificate(0, 1), tls_key=b"k")) == []
    assert found(secrets, gateway(credential="c"), *PODS, secret(tls_crt=certificate(-1, 0), tls_key=b"k")) == []
    assert "g (pods in edge)" in messages(secrets, gateway(credential="c"), *PODS, secret())[0]
