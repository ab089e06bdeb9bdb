from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mizzen.agent import keypair
from tests.fakes.authorities import Ca

URI = "spiffe://cluster.local/ns/shop/sa/web"


@pytest.mark.row("AG-04")
def test_a_fresh_key_and_a_request_for_exactly_one_identity() -> None:
    key, csr = keypair.key_and_csr(URI)
    request = x509.load_pem_x509_csr(csr.encode())
    assert request.is_signature_valid
    assert request.subject == x509.Name([])
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    assert [name.value for name in names.value] == [URI]
    loaded = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert loaded.public_key() == request.public_key()
    assert keypair.key_and_csr(URI)[0] != key


def test_the_end_of_a_certificate() -> None:
    pem = Ca("root").pem
    assert keypair.expiry(pem) == x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()


def test_no_answer_is_an_error_in_json_and_never_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = {"uri": URI, "token_path": str(tmp_path / "gone"), "root_cert_path": "", "url": "", "ttl_seconds": 1}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(request)))
    assert keypair.main() == 1
    assert list(json.loads(capsys.readouterr().out)) == ["error"]


@pytest.mark.row("CA-10")
@pytest.mark.parametrize(("kind", "name", "size"), [("P256", "secp256r1", 256), ("P384", "secp384r1", 384)])
def test_keys_on_both_curves(kind: str, name: str, size: int) -> None:
    loaded = serialization.load_pem_private_key(keypair.key_and_csr(URI, kind)[0].encode(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert (loaded.curve.name, loaded.key_size) == (name, size)


@pytest.mark.row("CA-10")
def test_a_key_of_rsa() -> None:
    key, csr = keypair.key_and_csr(URI, "RSA2048")
    loaded = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.key_size == 2048
    assert "BEGIN PRIVATE KEY" in key, "PKCS 8"
    assert x509.load_pem_x509_csr(csr.encode()).is_signature_valid


@pytest.mark.row("CW-02a", "CG-04")
def test_a_pair_of_somebody_elses_making() -> None:
    one, two = Ca("one"), Ca("two")
    assert keypair.pair(one.pem, one.key_pem) == {"expires": keypair.expiry(one.pem)}
    with pytest.raises(ValueError, match="not that of the certificate"):
        keypair.pair(one.pem, two.key_pem)
    with pytest.raises(ValueError, match=r"."):
        keypair.pair("nonsense", one.key_pem)
