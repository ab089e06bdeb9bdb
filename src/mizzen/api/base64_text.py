"""Bytes as protobuf's JSON form writes them (row CM-04)."""

from __future__ import annotations

import base64


def decoded(text: str) -> bytes | None:
    """The bytes of base64 text, of either alphabet, with padding or without; None when it is no such text."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return None
