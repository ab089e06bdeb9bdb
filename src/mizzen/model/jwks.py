"""Keys that sign request tokens, as the control plane fetched them (row RA-05)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mizzen.api.security import JWTRule


class KeySource(NamedTuple):
    """Where keys come from. Without ``uri`` the issuer's OIDC discovery document says where they are."""

    issuer: str
    uri: str


@dataclass(frozen=True)
class FetchedKeys:
    """``text`` is a JSON Web Key Set, empty as long as none was fetched; ``error`` says why the last try failed."""

    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class RemoteKeySet:
    """A key set that Envoy fetches from ``uri``, through the outbound cluster of ``hostname`` and ``port`` (row RA-06)."""

    uri: str
    hostname: str
    port: int


def source_of(rule: JWTRule) -> KeySource | None:
    """What has to be fetched for ``rule``; None if it brings its own keys."""
    return None if rule.jwks else KeySource(rule.issuer, rule.jwks_uri)
