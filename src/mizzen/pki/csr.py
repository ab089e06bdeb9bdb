"""Certificate requests: of one, only the public key is used (row CA-03)."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mizzen.errors import CsrRejected

CSR_LIMIT = 64 * 1024
"""Bytes; a request with a 4096 bit RSA key has less than 2 KiB."""

_CURVES = (ec.SECP256R1, ec.SECP384R1)
_RSA_BITS = (2048, 8192)

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def public_key(csr_pem: bytes | str) -> PublicKey:
    """The key that a certificate request proves possession of.

    Raises CsrRejected when the text is no request, its signature does not verify, or the key is too weak (row CA-10).
    Names, addresses and extensions that the request asks for are not looked at.
    """
    data = csr_pem.encode() if isinstance(csr_pem, str) else csr_pem
    if len(data) > CSR_LIMIT:
        raise CsrRejected("the certificate request is too long")
    try:
        csr = x509.load_pem_x509_csr(data)
        valid = csr.is_signature_valid
        key = csr.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.InvalidVersion) as error:
        raise CsrRejected("not a certificate request in PEM form") from error
    if not valid:
        raise CsrRejected("the signature of the certificate request does not verify")
    return _acceptable(key)


def _acceptable(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey):
        if isinstance(key.curve, _CURVES):
            return key
        raise CsrRejected(f"the curve {key.curve.name} is not accepted; use P-256 or P-384")
    if isinstance(key, rsa.RSAPublicKey):
        if _RSA_BITS[0] <= key.key_size <= _RSA_BITS[1]:
            return key
        raise CsrRejected(f"an RSA key of {key.key_size} bits is not accepted; use 2048 or more")
    raise CsrRejected("the kind of key is not accepted; use ECDSA P-256 or RSA")
