"""Service-account tokens as Kubernetes would issue them: ES256, bound to a pod, or for a machine to the account alone.

The CA verifies them by the JWKS.
"""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.lab.store import Raw

ISSUER = "https://kubernetes.default.svc.cluster.local"


class Tokens:
    """The signing key. ``repr`` shows only its id."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        point = key.public_key().public_numbers()
        public = {"kty": "EC", "crv": "P-256", "x": _number(point.x), "y": _number(point.y)}
        self.key_id = _text(hashlib.sha256(json.dumps(public, sort_keys=True, separators=(",", ":")).encode()).digest())
        self.jwks = json.dumps({"keys": [{**public, "use": "sig", "alg": "ES256", "kid": self.key_id}]})

    @classmethod
    def open(cls, directory: Path) -> Tokens:
        """The key kept in ``directory``, made on first use. Raises OSError, ValueError when the file is damaged."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = directory / "key.pem"
        if path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{path} is not an EC key")
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            temporary = path.with_suffix(".new")
            temporary.unlink(missing_ok=True)
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(pem)
            temporary.replace(path)
        tokens = cls(key)
        (directory / "jwks.json").write_text(tokens.jwks, encoding="utf-8")
        return tokens

    def issue(self, pod: Raw, account_uid: str, audiences: Sequence[str], seconds: int, now: int) -> str:
        """A token for ``pod`` that is good for ``seconds`` from ``now`` (Unix time)."""
        meta, account = pod["metadata"], pod["spec"].get("serviceAccountName") or "default"
        bound = {"pod": {"name": meta["name"], "uid": meta["uid"]}}
        return self._issue(meta["namespace"], account, account_uid, bound, audiences, (now, seconds))

    def issue_to_account(
        self, namespace: str, account: str, account_uid: str, audiences: Sequence[str], seconds: int, now: int
    ) -> str:
        """A token that is bound to no pod, such as TokenRequest makes for a machine."""
        return self._issue(namespace, account, account_uid, {}, audiences, (now, seconds))

    def _issue(
        self,
        namespace: str,
        account: str,
        uid: str,
        bound: dict[str, Any],
        audiences: Sequence[str],
        span: tuple[int, int],
    ) -> str:
        now, seconds = span
        claims = {
            "iss": ISSUER,
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "aud": list(audiences),
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "kubernetes.io": {"namespace": namespace, **bound, "serviceaccount": {"name": account, "uid": uid}},
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self.key_id})

    def __repr__(self) -> str:
        return f"Tokens({self.key_id})"


def _number(value: int) -> str:
    return _text(value.to_bytes(32, "big"))


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
