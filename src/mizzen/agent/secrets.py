"""The two secrets as files that Envoy watches: each a whole discovery answer, each replaced by one rename (decision 2)."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - a type name


def certificate(chain: Sequence[str], key: str) -> dict[str, Any]:
    """The secret ``default``: leaf first, without the root, and its key."""
    return _secret(
        "default", {"tls_certificate": {"certificate_chain": _inline("".join(chain)), "private_key": _inline(key)}}
    )


def roots(pems: Sequence[str], revoked: str = "") -> dict[str, Any]:
    """The secret ``ROOTCA``; ``revoked`` are lists of revoked certificates, one of each CA (row CR-10)."""
    context = {"trusted_ca": _inline("".join(pems)), **({"crl": _inline(revoked)} if revoked.strip() else {})}
    return _secret("ROOTCA", {"validation_context": context})


def write(path: Path, secret: dict[str, Any]) -> None:
    """As :func:`replace`, of a secret as JSON."""
    replace(path, json.dumps(secret))


def replace(path: Path, text: str) -> None:
    """Replace ``path`` by one rename, readable by its owner alone. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    os.rename(fresh, path)


def _secret(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"resources": [{"@type": _SECRET, "name": name, **body}]}


def _inline(pem: str) -> dict[str, str]:
    return {"inline_bytes": base64.b64encode(pem.encode()).decode()}
