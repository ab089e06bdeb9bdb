"""Which files make a plugged-in CA (rows CR-02, CR-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mizzen.errors import MeshError
from mizzen.pki.authority import Authority, load

NAMES = ("ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem")
TLS_NAMES = ("tls.crt", "tls.key", "ca.crt")
REVOKED = "ca-crl.pem"
SigningPublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


def plugged_in(files: Mapping[str, bytes], *, revocation: bool = True) -> Authority:
    """The authority of the Secret ``cacerts``: by key, what it holds. Where there is a tls.crt, that layout counts.

    ``revocation`` is PILOT_ENABLE_CA_CRL. Raises MeshError that names what is missing or does not fit.
    """
    names = TLS_NAMES if files.get("tls.crt", b"").strip() else NAMES
    missing = [name for name in names if not files.get(name, b"").strip()]
    if missing:
        raise MeshError(f"lacks {', '.join(missing)}")
    if names is TLS_NAMES:
        return load(files["tls.crt"], files["tls.key"], files["ca.crt"], files["tls.crt"] + b"\n" + files["ca.crt"])
    found = load(*(files[name] for name in NAMES))
    revoked = files.get(REVOKED, b"")
    if not revocation or not revoked.strip():
        return found
    return replace(found, revoked=_revoked(revoked, found))


def _revoked(pem: bytes, authority: Authority) -> str:
    """The lists in ``pem``. Envoy, once it has a list, wants one of every CA in a chain; with one missing it refuses all."""
    lists = _lists(pem)
    chain = dict.fromkeys((authority.certificate, *authority.chain))
    without = [cert.subject.rfc4514_string() for cert in chain if not any(_of(found, cert) for found in lists)]
    if without:
        raise MeshError(f"{REVOKED} has no list of {'; '.join(without)}; every CA of the chain needs one")
    return "".join(found.public_bytes(serialization.Encoding.PEM).decode() for found in lists)


def _lists(pem: bytes) -> Sequence[x509.CertificateRevocationList]:
    mark = b"-----END X509 CRL-----"
    try:
        return [x509.load_pem_x509_crl(part + mark) for part in pem.split(mark) if part.strip()]
    except ValueError as error:
        raise MeshError(f"{REVOKED} cannot be read: {error}") from error


def _of(found: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    return found.issuer == authority.subject and isinstance(key, SigningPublicKey) and found.is_signature_valid(key)
