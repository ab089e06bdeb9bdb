"""Certificates, tokens and key sets that a run makes, and the texts of cases that ask for them."""

import base64
import datetime
import json
import re
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from jwt.algorithms import RSAAlgorithm

_OPEN = re.compile(r"\$\{(crt|key|ca|ip|svc_ip|jwt|jwks|jwks_uri):")
_WISHES = ("_key", "_exp", "_exact")
_DAY = datetime.timedelta(days=1)

_REFERENCE = frozenset({"group", "kind", "name", "namespace"})
"""All that a reference to a Secret has."""


class Material:
    """Everything made for one run. ``documents`` is a directory that the mesh serves; ``address`` finds a pod's address."""

    def __init__(self, documents: Path, address: Callable[[str], str], base_url: Callable[[], str]) -> None:
        self._documents = documents
        self._address = address
        self._base_url = base_url
        self._serial = 0
        self._alone = False
        self._rotated: dict[tuple[int, str], str] = {}
        self.authority = cache(self._authority)
        self.leaf = cache(self._leaf)
        self._rsa = cache(lambda _name: rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def begin(self, alone: bool) -> None:
        """A new case. ``alone``: its key sets have addresses that no other case uses, for it exchanges them."""
        self._serial += 1
        self._alone = alone

    def fill(self, value: Any) -> Any:
        """A copy of ``value`` in which every ``${…}`` of ours is replaced. Raises ValueError for one that cannot be."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            filled = {self._text(key) if isinstance(key, str) else key: self.fill(item) for key, item in value.items()}
            return (
                _encoded(filled, value)
                if value.get("kind") == "Secret" and not _REFERENCE.issuperset(value)
                else filled
            )
        return value

    def tls(self, asked: dict[str, Any]) -> dict[str, Any]:
        """``tls`` of a call with names of authorities and certificates made into PEM."""
        told = dict(asked)
        if (name := told.get("ca")) and "BEGIN" not in name:
            told["ca"] = self.authority(name.partition("/")[0])[0]
        if (name := told.get("cert")) and "BEGIN" not in name:
            told["cert"], told["key"] = self.leaf(name)
        return told

    def rotate(self, name: str, key: str) -> None:
        """The key set served as ``name`` holds ``key`` from now on."""
        self._rotated[(self._serial, name)] = self._jwks(key)
        self._serve(name, self._jwks(key))

    def _text(self, text: str) -> str:
        done, at = "", 0
        while match := _OPEN.search(text, at):
            end = _closing(text, match.end())
            done += text[at : match.start()] + self._one(match[1], text[match.end() : end])
            at = end + 1
        return done + text[at:]

    def _one(self, kind: str, name: str) -> str:
        if kind == "ca":
            return str(self.authority(name.partition("/")[0])[0])
        if kind in ("crt", "key"):
            return str(self.leaf(name)[0 if kind == "crt" else 1])
        if kind == "ip":
            return self._address(name)
        if kind == "svc_ip":
            return self._address(f"service {name}")
        if kind == "jwt":
            return self.token(json.loads(name))
        if kind == "jwks":
            return self._jwks(name)
        return self._serve(name, self._served(name))

    def _served(self, name: str) -> str:
        """In the key set called ``name`` is the key of that name, until :meth:`rotate` says otherwise."""
        return self._rotated.get((self._serial, name)) or self._jwks(name)

    def _serve(self, name: str, text: str) -> str:
        own = f"jwks-{name}-{self._serial}" if self._alone else f"jwks-{name}"
        path = self._documents / own
        temporary = path.with_suffix(".new")
        temporary.write_text(text)
        temporary.chmod(0o644)
        temporary.replace(path)
        return f"{self._base_url()}/{own}"

    def token(self, asked: dict[str, Any]) -> str:
        """Signed with RS256 by ``_key`` (k1), valid for an hour, or expired with ``_exp: past``; ``_exact`` adds no claim."""
        claims = {name: value for name, value in asked.items() if not name.startswith("_")}
        if strange := [name for name in asked if name.startswith("_") and name not in _WISHES]:
            raise ValueError(f"unknown in a token: {', '.join(strange)}")
        key = str(asked.get("_key", "k1"))
        now = int(time.time())
        if not asked.get("_exact"):
            claims.setdefault("iat", now - 60)
            claims.setdefault("exp", now - 3600 if asked.get("_exp") == "past" else now + 3600)
        return jwt.encode(claims, self._rsa(key), algorithm="RS256", headers={"kid": key})

    def _jwks(self, name: str) -> str:
        public = RSAAlgorithm.to_jwk(self._rsa(name).public_key(), as_dict=True)
        return json.dumps({"keys": [{**public, "kid": name, "use": "sig", "alg": "RS256"}]})

    def _authority(self, name: str) -> tuple[str, x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key).add_extension(x509.BasicConstraints(True, None), True)
        builder = builder.add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True)
        certificate = builder.sign(key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), certificate, key

    def _leaf(self, name: str) -> tuple[str, str]:
        signer, _, subject = name.partition("/")
        _, authority, signing = self.authority(signer)
        key = ec.generate_private_key(ec.SECP256R1())
        title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])])
        alternative: x509.GeneralName = (
            x509.UniformResourceIdentifier(subject) if "://" in subject else x509.DNSName(subject)
        )
        builder = _builder(title, authority.subject, key)
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), False)
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = builder.add_extension(x509.ExtendedKeyUsage(usage), False).sign(signing, hashes.SHA256())
        form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, form, none).decode()
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), private


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - _DAY)
    return builder.not_valid_after(now + 30 * _DAY)


def _closing(text: str, at: int) -> int:
    """Where the brace closes that was opened before ``at``; braces inside count."""
    depth = 1
    for index in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    raise ValueError(f"no closing brace: {text[max(at - 10, 0) : at + 30]!r}")


def _encoded(filled: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """A Secret as an API server keeps it: everything in ``data``, in base64."""
    data = dict(filled.get("data") or {})
    for name, value in data.items():
        if value != (before.get("data") or {}).get(name):
            data[name] = base64.b64encode(value.encode()).decode()
    for name, value in (filled.get("stringData") or {}).items():
        data[name] = base64.b64encode(value.encode()).decode()
    return {**{name: value for name, value in filled.items() if name != "stringData"}, "data": data}
