"""A certificate authority as a value: a key, its certificate, and what proves that certificate.

Time, serial numbers and keys come in as arguments.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mizzen.errors import MeshError, SigningFailed
from mizzen.model.identity import Identity
from mizzen.pki.csr import PublicKey

ROOT_LIFETIME = timedelta(days=3650)
SERVER_LIFETIME = timedelta(days=3650)
BACKDATING = timedelta(minutes=2)
"""How far in the past a certificate begins, for clocks that disagree (row CA-09)."""

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, eq=False)
class Authority:
    """``chain`` are the intermediates from ``certificate`` up, without it and without roots; empty when it is a root itself.

    ``roots`` are what peers trust, one or more. ``others`` are the roots of other meshes, which workloads trust as well
    (row CR-08). ``revoked`` are lists of revoked certificates as PEM (row CR-10).
    """

    key: SigningKey = field(repr=False)
    certificate: x509.Certificate
    roots: tuple[x509.Certificate, ...]
    chain: tuple[x509.Certificate, ...] = ()
    others: tuple[x509.Certificate, ...] = ()
    revoked: str = ""

    @property
    def roots_pem(self) -> str:
        """All roots that workloads trust, in one text."""
        return "".join(_pem(root) for root in dict.fromkeys((*self.roots, *self.others)))

    @property
    def own_roots_pem(self) -> str:
        """The roots of this mesh alone: whose certificates count when somebody asks for a certificate."""
        return "".join(_pem(root) for root in self.roots)

    @property
    def intermediates_pem(self) -> tuple[str, ...]:
        """What a leaf must show besides itself: nothing when a root signed it."""
        if self.certificate in self.roots:
            return ()
        return tuple(_pem(cert) for cert in (self.certificate, *self.chain) if cert not in self.roots)


@dataclass(frozen=True)
class Issued:
    """``cert_chain`` has one PEM block per element, leaf first, and the roots as its last element (row CA-01)."""

    cert_chain: tuple[str, ...]
    not_after: datetime

    @property
    def leaf_and_intermediates(self) -> tuple[str, ...]:
        return self.cert_chain[:-1]

    @property
    def roots(self) -> str:
        return self.cert_chain[-1]


def self_signed(
    key: SigningKey, trust_domain: str, *, now: datetime, serial: int, lifetime: timedelta = ROOT_LIFETIME
) -> Authority:
    """A new root (row CR-01; its key is ECDSA P-256 here, product decision 8)."""
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - BACKDATING)
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate, (certificate,))


def renewed(authority: Authority, *, now: datetime, serial: int, lifetime: timedelta) -> Authority:
    """A self-signed root once more, with the same key and name: what it signed before verifies with it (row CR-04)."""
    organization = authority.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    name = str(organization[0].value) if organization else ""
    return self_signed(authority.key, name, now=now, serial=serial, lifetime=lifetime)


def renewal_due(authority: Authority, *, now: datetime, grace_percent: float) -> bool:
    """Whether less than ``grace_percent`` of the certificate's life is left (row CR-04)."""
    certificate = authority.certificate
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - now <= life * grace_percent / 100


def load(certificate_pem: bytes, key_pem: bytes, roots_pem: bytes, chain_pem: bytes = b"") -> Authority:
    """An authority from PEM texts (rows CR-01, CR-02). Raises MeshError when they do not belong together."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, password=None)
        roots = tuple(x509.load_pem_x509_certificates(roots_pem))
        chain = tuple(x509.load_pem_x509_certificates(chain_pem)) if chain_pem.strip() else ()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise MeshError(f"the CA files cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise MeshError("the CA key is neither ECDSA nor RSA")
    if key.public_key() != certificate.public_key():
        raise MeshError("the CA key does not belong to the CA certificate")
    _check_ca(certificate)
    intermediates = tuple(cert for cert in chain if cert != certificate)
    _check_path(certificate, intermediates, roots)
    return Authority(key, certificate, roots, intermediates)


def sign_workload(
    authority: Authority, key: PublicKey, identity: Identity, *, ttl: timedelta, now: datetime, serial: int
) -> Issued:
    """A workload certificate (row CA-08): the identity is the only name, critical because the subject is empty.

    Raises SigningFailed when the authority itself has expired.
    """
    san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity.uri)])
    return _sign(authority, key, x509.Name([]), san, critical=True, end=now + ttl, now=now, serial=serial)


def sign_server(authority: Authority, key: PublicKey, names: Sequence[str], *, now: datetime, serial: int) -> Issued:
    """The control plane's own certificate for ``names``, DNS names or addresses (row CR-06)."""
    san = x509.SubjectAlternativeName([_general_name(name) for name in names])
    return _sign(authority, key, x509.Name([]), san, critical=True, end=now + SERVER_LIFETIME, now=now, serial=serial)


def server_names(
    namespace: str, revision: str, custom: Sequence[str] = (), addresses: Sequence[str] = ()
) -> tuple[str, ...]:
    """What the control plane is called (rows PO-13, CR-06), without doubles."""
    services = ["istiod", "istiod-remote", "istio-pilot"]
    if revision and revision != "default":
        services.append(f"istiod-{revision}")
    return tuple(dict.fromkeys([*(f"{name}.{namespace}.svc" for name in services), *custom, *addresses]))


def fingerprint(text: str) -> str:
    """A short hash of a bundle of roots, to notice a change of it."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _sign(
    authority: Authority,
    key: PublicKey,
    subject: x509.Name,
    san: x509.SubjectAlternativeName,
    *,
    critical: bool,
    end: datetime,
    now: datetime,
    serial: int,
) -> Issued:
    issuer = authority.certificate
    if now >= issuer.not_valid_after_utc:
        raise SigningFailed("the certificate authority has expired")
    # Whole seconds, and never beyond the issuer's own end (row CA-09).
    not_after = min(end, issuer.not_valid_after_utc).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(now - BACKDATING)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(_issuer_id(authority), critical=False)
        .add_extension(san, critical=critical)
        .sign(authority.key, hashes.SHA256())
    )
    return Issued((_pem(certificate), *authority.intermediates_pem, authority.roots_pem), not_after)


def _issuer_id(authority: Authority) -> x509.AuthorityKeyIdentifier:
    try:
        subject_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_id)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _check_ca(certificate: x509.Certificate) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        constraints = None
    if constraints is None or not constraints.ca:
        raise MeshError("the CA certificate is not one of a certificate authority")


def _check_path(
    certificate: x509.Certificate, chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> None:
    current, remaining = certificate, list(chain)
    while current not in roots and not any(_issued(root, current) for root in roots):
        issuer = next((cert for cert in remaining if _issued(cert, current)), None)
        if issuer is None:
            raise MeshError("the CA certificate does not chain to the roots")
        remaining.remove(issuer)
        current = issuer


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
