"""Rows CA-03, CA-10: of a request only the key counts, and not every key is good enough."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mizzen.errors import CsrRejected
from mizzen.pki import public_key
from mizzen.pki.csr import CSR_LIMIT


def request(key: object, digest: hashes.HashAlgorithm | None = hashes.SHA256()) -> bytes:  # noqa: B008 - a constant
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]


@pytest.mark.row("CA-10")
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_ecdsa_keys_are_taken_as_they_are(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    assert public_key(request(key)) == key.public_key()


@pytest.mark.row("CA-10")
@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (ec.generate_private_key(ec.SECP521R1()), "curve secp521r1"),
        (rsa.generate_private_key(65537, 1024), "1024 bits"),
    ],
)
def test_keys_that_are_not_accepted_are_named(key: object, reason: str) -> None:
    with pytest.raises(CsrRejected, match=reason):
        public_key(request(key))


def test_other_kinds_of_keys_and_what_is_no_request() -> None:
    with pytest.raises(CsrRejected, match="kind of key"):
        public_key(request(ed25519.Ed25519PrivateKey.generate(), None))
    good = request(ec.generate_private_key(ec.SECP256R1()))
    for bad in (b"", b"x", good[: len(good) // 2], b"a" * (CSR_LIMIT + 1)):
        with pytest.raises(CsrRejected):
            public_key(bad)


@pytest.mark.row("CA-03")
def test_a_request_whose_signature_is_another_ones_is_refused() -> None:
    csr = x509.load_pem_x509_csr(request(ec.generate_private_key(ec.SECP256R1())))
    der = bytearray(csr.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(CsrRejected, match="signature"):
        public_key(forged)
