"""Plugged-in authorities: roots of the tests' own, and intermediates under them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mizzen.api.kubernetes import Secret
from mizzen.api.meta import Object, ObjectMeta


class Ca:
    """A certificate authority, a root itself without ``issuer``."""

    def __init__(self, name: str, issuer: Ca | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
        ) | dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign((issuer or self).key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


def files(ca: Ca, root: Ca, roots: Sequence[Ca] = ()) -> dict[str, str]:
    """The four files of ``cacerts``: ``ca`` under ``root``, and all ``roots`` that peers are to trust (default: its own)."""
    return {
        "ca-cert.pem": ca.pem,
        "ca-key.pem": ca.key_pem,
        "cert-chain.pem": ca.pem + root.pem,
        "root-cert.pem": "".join(one.pem for one in roots or (root,)),
    }


def cacerts(contents: dict[str, str]) -> Object:
    """The Secret ``cacerts``."""
    return Object(
        kind="Secret",
        meta=ObjectMeta(name="cacerts", namespace="istio-system"),
        body=Secret(string_data=contents),
    )


def crl(ca: Ca, *revoked: Ca) -> str:
    """The list of what ``ca`` has revoked, as PEM."""
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(now - datetime.timedelta(minutes=5)).next_update(now + datetime.timedelta(days=30))
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
