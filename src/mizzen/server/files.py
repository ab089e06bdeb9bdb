"""The CA on disk: made once, mode 0600, written so that a crash leaves either nothing or all of it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mizzen.pki import Authority, SigningKey, load, self_signed, sign_server

_CA = "ca.pem"
"""Key and certificate in one file: one rename makes both."""
ROOT, REVOKED = "root-cert.pem", "ca-crl.pem"
SERVER_CERTIFICATE, SERVER_KEY = "server.crt", "server.key"


def authority(state: Path, trust_domain: str, *, now: datetime, lifetime: timedelta) -> Authority:
    """The CA of ``state``, made when there is none. ``root-cert.pem`` beside it is readable for everybody (row CR-05).

    Raises MeshError when the file is damaged: a new root would cut off every workload, so that is for a person to decide.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = state / _CA
    if not path.exists():
        made = self_signed(
            ec.generate_private_key(ec.SECP256R1()),
            trust_domain,
            now=now,
            serial=x509.random_serial_number(),
            lifetime=lifetime,
        )
        keep(state, made)
    text = path.read_bytes()
    key, _, certificate = text.partition(b"-----BEGIN CERTIFICATE-----")
    certificate = b"-----BEGIN CERTIFICATE-----" + certificate
    found = load(certificate, key, certificate)
    write(state / ROOT, found.roots_pem.encode(), 0o644)
    return found


def keep(state: Path, made: Authority) -> None:
    """Write a self-signed CA where :func:`authority` finds it."""
    write(state / _CA, key_pem(made.key) + made.own_roots_pem.encode(), 0o600)


def serving_certificate(
    state: Path, authority: Authority, names: tuple[str, ...], *, now: datetime
) -> tuple[Path, Path]:
    """A fresh certificate of the control plane for ``names``; the paths of certificate and key (row CR-06)."""
    key: SigningKey = ec.generate_private_key(ec.SECP256R1())
    if isinstance(authority.key, rsa.RSAPrivateKey):  # who plugs in RSA has clients that may know nothing else (CA-10)
        key = rsa.generate_private_key(65537, 2048)
    issued = sign_server(authority, key.public_key(), names, now=now, serial=x509.random_serial_number())
    certificate, key_file = state / SERVER_CERTIFICATE, state / SERVER_KEY
    write(key_file, key_pem(key), 0o600)
    write(certificate, "".join(issued.leaf_and_intermediates).encode(), 0o600)
    return certificate, key_file


def key_pem(key: SigningKey) -> bytes:
    """PKCS#8, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write(path: Path, data: bytes, mode: int) -> None:
    """Replace ``path`` by one rename; never readable for others in between."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
