"""Certificates without I/O: which requests are signed, with what identity, for how long."""

from mizzen.pki.authority import (
    Authority,
    Issued,
    SigningKey,
    fingerprint,
    load,
    renewal_due,
    renewed,
    self_signed,
    server_names,
    sign_server,
    sign_workload,
)
from mizzen.pki.csr import public_key
from mizzen.pki.lifetime import Lifetimes
from mizzen.pki.material import plugged_in

__all__ = [
    "Authority",
    "Issued",
    "Lifetimes",
    "SigningKey",
    "fingerprint",
    "load",
    "plugged_in",
    "public_key",
    "renewal_due",
    "renewed",
    "self_signed",
    "server_names",
    "sign_server",
    "sign_workload",
]
