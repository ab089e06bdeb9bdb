"""Certificates without I/O: which requests are signed, with what identity, for how long."""

from mizzen.pki.authority import (
    Authority,
    Issued,
    SigningKey,
    fingerprint,
    load,
    self_signed,
    server_names,
    sign_server,
    sign_workload,
)
from mizzen.pki.csr import public_key
from mizzen.pki.lifetime import Lifetimes

__all__ = [
    "Authority",
    "Issued",
    "Lifetimes",
    "SigningKey",
    "fingerprint",
    "load",
    "public_key",
    "self_signed",
    "server_names",
    "sign_server",
    "sign_workload",
]
