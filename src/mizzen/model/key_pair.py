"""Whether Envoy could load a certificate, its key or roots. Pure: no clock, so nothing is said of expiry (row CG-04).

What Envoy cannot load must not reach it: it refuses the secret, yet every listener that is built from then on with this
secret is refused too, and with it all other servers on the port.
"""

from __future__ import annotations

from functools import lru_cache

_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_RSA_BITS = 2048


@lru_cache(maxsize=1024)
def pair_fault(chain: bytes, key: bytes) -> str:
    """What is wrong with a certificate, leaf first, and its key, both PEM; empty when nothing is."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
        public = leaf.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "the certificate cannot be read as PEM"
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "the key cannot be read as PEM, or is encrypted"
    if private.public_key() != public:
        return "the key is not that of the certificate"
    return _weakness(public)


def _weakness(public: object) -> str:
    """BoringSSL, as Envoy builds it, takes RSA from 2048 bits and three curves."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(public, rsa.RSAPublicKey):
        return f"an RSA key of {public.key_size} bits is too short" if public.key_size < _RSA_BITS else ""
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES:
        return ""
    return "the key is neither RSA nor ECDSA with P-256, P-384 or P-521"


@lru_cache(maxsize=1024)
def staple_fault(staple: bytes) -> str:
    """What is wrong with an OCSP response in DER (``tls.ocsp-staple``)."""
    from cryptography.x509 import ocsp

    try:
        ocsp.load_der_ocsp_response(staple)
    except ValueError:
        return "the OCSP staple cannot be read"
    return ""


@lru_cache(maxsize=1024)
def roots_fault(trusted: bytes, revoked: bytes) -> str:
    """What is wrong with roots and a revocation list, both PEM."""
    from cryptography import x509

    try:
        x509.load_pem_x509_certificates(trusted)
    except ValueError:
        return "the roots cannot be read as PEM"
    try:
        if revoked:
            x509.load_pem_x509_crl(revoked)
    except ValueError:
        return "the list of revoked certificates cannot be read as PEM"
    return ""
