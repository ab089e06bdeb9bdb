"""Cipher suites and curves that Envoy's TLS library has (rows GW-23, MC-27)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SUITES = frozenset(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-PSK-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-PSK-AES128-CBC-SHA",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "ECDHE-PSK-AES256-CBC-SHA",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA",
        "PSK-AES128-CBC-SHA",
        "PSK-AES256-CBC-SHA",
        "DES-CBC3-SHA",
    ]
)
_CURVES = frozenset(["P-224", "P-256", "P-384", "P-521", "X25519", "X25519Kyber768Draft00", "X25519MLKEM768"])
_EXPRESSION = re.compile(r"[-+!@\[]|.*[|+:]|ALL$|HIGH$|DEFAULT$")


def is_suite(text: str) -> bool:
    """True for the name of a suite, and for an expression over suites, which only the library can judge."""
    return text in _SUITES or _EXPRESSION.match(text) is not None


def is_curve(text: str) -> bool:
    """True for the name of a curve or key exchange."""
    return text in _CURVES


def usable_curves(written: Iterable[str]) -> tuple[str, ...]:
    """``written`` without unknown and repeated ones, as :func:`usable` for suites."""
    return tuple(dict.fromkeys(curve for curve in written if is_curve(curve)))


def usable(written: Iterable[str]) -> tuple[str, ...]:
    """``written`` without unknown and repeated ones, of which Envoy would refuse the whole listener."""
    return tuple(dict.fromkeys(suite for suite in written if is_suite(suite)))
