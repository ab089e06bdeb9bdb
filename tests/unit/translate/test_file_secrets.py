"""Certificates in files: named in secrets, never read by the control plane."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from msgspec.structs import replace

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.resources import SECRET
from mizzen.resolve import build, view
from mizzen.translate import file_secrets, resources
from tests.meshes import rule, service, sidecar

WEB = service("web", "a", 1, [{"name": "http", "port": 80}, {"name": "tcp", "port": 90}])


def _served(*objects: Object, **flags: str) -> dict[str, secret_pb2.Secret]:
    proxy = replace(sidecar(1, "a"), flags=flags)
    made = resources(view(build(Config().with_objects([WEB, *objects])), proxy)).get(SECRET)
    return {name: secret_pb2.Secret.FromString(found.body) for name, found in made.items()}


def _rule(**tls: Any) -> Object:
    return rule("r", "a", host="web", trafficPolicy={"tls": tls})


@pytest.mark.row("DR-45")
def test_without_a_file_the_system_s_roots() -> None:
    [(name, secret)] = _served(_rule(mode="SIMPLE")).items()
    assert name == "file-root:system"
    assert secret.validation_context.trusted_ca.filename == file_secrets.SYSTEM_ROOTS
    assert _served(_rule(mode="SIMPLE", insecureSkipVerify=True)) == {}
    assert _served(_rule(mode="DISABLE")) == {}


@pytest.mark.row("DR-46", "DR-49")
def test_the_files_of_every_block_wherever_it_stands() -> None:
    mutual = {"mode": "MUTUAL", "clientCertificate": "/c", "privateKey": "/k", "caCertificates": "/ca", "caCrl": "/crl"}
    entry = {"port": {"number": 90}, "tls": {"mode": "SIMPLE", "caCertificates": "/other"}}
    policy = {"tls": mutual, "portLevelSettings": [entry]}
    subset = {"name": "v1", "trafficPolicy": {"tls": {"mode": "SIMPLE"}}}
    found = _served(rule("r", "a", host="web", trafficPolicy=policy, subsets=[subset]))
    assert sorted(found) == ["file-cert:/c~/k", "file-root:/ca~/crl", "file-root:/other", "file-root:system"]
    certificate = found["file-cert:/c~/k"].tls_certificate
    assert (certificate.certificate_chain.filename, certificate.private_key.filename) == ("/c", "/k")
    assert found["file-root:/ca~/crl"].validation_context.crl.filename == "/crl"


@pytest.mark.row("DR-52")
def test_files_that_the_proxy_itself_names() -> None:
    flags = {"TLS_CLIENT_CERT_CHAIN": "/pc", "TLS_CLIENT_KEY": "/pk", "TLS_CLIENT_ROOT_CERT": "/pr"}
    assert sorted(_served(**flags)) == ["file-cert:/pc~/pk", "file-root:/pr"]
    assert file_secrets.identity({"TLS_CLIENT_CERT_CHAIN": "/pc", "TLS_CLIENT_KEY": "/pk"}) is None
