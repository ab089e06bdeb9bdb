"""Of a request only its key counts, and it has to be proven and strong."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mizzen.errors import CsrRejected
from mizzen.pki import public_key
from mizzen.pki.csr import CSR_LIMIT, PublicKey


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://td/ns/kube-system/sa/admin")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def numbers(key: PublicKey) -> object:
    return key.public_numbers()


@pytest.mark.row("CA-03")
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_the_key_of_a_good_request(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    assert numbers(public_key(request(key))) == numbers(key.public_key())
    assert numbers(public_key(request(key).decode())) == numbers(key.public_key())


def test_rsa_from_2048_bits() -> None:
    key = rsa.generate_private_key(65537, 2048)
    assert numbers(public_key(request(key))) == numbers(key.public_key())
    with pytest.raises(CsrRejected, match="1024 bits"):
        public_key(request(rsa.generate_private_key(65537, 1024)))


@pytest.mark.row("CA-03")
def test_what_is_refused() -> None:
    good = request(ec.generate_private_key(ec.SECP256R1()))
    lines = good.splitlines()
    lines[-2] = lines[-2][:-6] + (b"AAAA" if lines[-2][-6:-2] != b"AAAA" else b"BBBB") + lines[-2][-2:]
    for text in (b"", b"nonsense", b"x" * (CSR_LIMIT + 1), b"\n".join(lines)):
        with pytest.raises(CsrRejected):
            public_key(text)
    with pytest.raises(CsrRejected, match="secp521r1"):
        public_key(request(ec.generate_private_key(ec.SECP521R1())))


@pytest.mark.row("CA-03")
def test_a_version_that_does_not_exist_is_refused() -> None:
    pem = request(ec.generate_private_key(ec.SECP256R1()))
    der = bytearray(base64.b64decode(b"".join(pem.splitlines()[1:-1])))
    version = der.index(b"\x02\x01\x00") + 2
    der[version] = 7
    text = b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(bytes(der))
    with pytest.raises(CsrRejected):
        public_key(text + b"-----END CERTIFICATE REQUEST-----\n")
