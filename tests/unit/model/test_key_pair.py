"""What Envoy could load."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mizzen.model.key_pair import _weakness, pair_fault, roots_fault, staple_fault
from tests.fakes.authorities import Ca, crl

GOOD, OTHER = Ca("good"), Ca("other")
PASSWORD = serialization.BestAvailableEncryption(b"secret")
ENCRYPTED = GOOD.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, PASSWORD)


@pytest.mark.row("CG-04")
@pytest.mark.parametrize(
    ("chain", "key", "fault"),
    [
        (GOOD.pem, GOOD.key_pem.encode(), ""),
        (GOOD.pem + OTHER.pem, GOOD.key_pem.encode(), ""),
        (GOOD.pem, OTHER.key_pem.encode(), "not that of the certificate"),
        (OTHER.pem + GOOD.pem, GOOD.key_pem.encode(), "not that of the certificate"),
        ("nonsense", GOOD.key_pem.encode(), "certificate cannot be read"),
        (GOOD.pem, b"nonsense", "key cannot be read"),
        (GOOD.pem, ENCRYPTED, "encrypted"),
    ],
)
def test_a_certificate_and_its_key(chain: str, key: bytes, fault: str) -> None:
    said = pair_fault(chain.encode(), key)
    assert fault in said
    assert bool(said) == bool(fault)


@pytest.mark.row("CG-04")
def test_kinds_and_sizes_of_keys() -> None:
    assert _weakness(rsa.generate_private_key(65537, 2048).public_key()) == ""
    assert "too short" in _weakness(rsa.generate_private_key(65537, 1024).public_key())
    assert _weakness(ec.generate_private_key(ec.SECP384R1()).public_key()) == ""
    assert _weakness(ec.generate_private_key(ec.SECP256K1()).public_key())
    assert _weakness(ed25519.Ed25519PrivateKey.generate().public_key())


@pytest.mark.row("CG-04")
def test_roots_lists_and_staples() -> None:
    assert roots_fault((GOOD.pem + OTHER.pem).encode(), crl(GOOD).encode()) == ""
    assert "roots" in roots_fault(b"nonsense", b"")
    assert "revoked" in roots_fault(GOOD.pem.encode(), b"nonsense")
    assert "staple" in staple_fault(b"nonsense")
