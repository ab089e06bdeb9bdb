from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mizzen.cli.proxyconfig.secrets import HEADER, rows

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pem(serial: int, uri: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), serial, NOW - timedelta(hours=1), NOW + timedelta(hours=23)
    )
    if uri:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=True
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def inline(data: bytes) -> dict[str, Any]:
    return {"inline_bytes": base64.b64encode(data).decode()}


@pytest.mark.row("IX-16")
def test_a_chain_and_a_root() -> None:
    chain = {
        "name": "default",
        "secret": {
            "name": "default",
            "tls_certificate": {"certificate_chain": inline(pem(255, "spiffe://td/ns/a/sa/b"))},
        },
    }
    root = {"name": "ROOTCA", "secret": {"name": "ROOTCA", "validation_context": {"trusted_ca": inline(pem(16, ""))}}}
    header, cells = rows([("ACTIVE", chain), ("ACTIVE", root)], NOW)
    assert header == HEADER
    assert cells == [
        ("default", "Cert Chain", "ACTIVE", "true", "ff", "2026-01-01T23:00:00Z", "2025-12-31T23:00:00Z"),
        ("ROOTCA", "CA", "ACTIVE", "true", "10", "2026-01-01T23:00:00Z", "2025-12-31T23:00:00Z"),
    ]
    assert rows([("ACTIVE", chain)], NOW + timedelta(days=2))[1][0][3] == "false"


@pytest.mark.row("IX-16")
def test_the_trust_domain_is_a_column_when_every_secret_has_one() -> None:
    chain = {
        "name": "default",
        "secret": {"tls_certificate": {"certificate_chain": inline(pem(1, "spiffe://td/ns/a/sa/b"))}},
    }
    header, cells = rows([("ACTIVE", chain)], NOW)
    assert (header[-1], cells[0][-1]) == ("TRUST DOMAIN", "td")


def test_a_secret_that_is_still_awaited() -> None:
    assert rows([("WARMING", {"name": "default", "secret": {"tls_certificate": {}}})], NOW)[1][0][:4] == (
        "default",
        "Cert Chain",
        "WARMING",
        "false",
    )
