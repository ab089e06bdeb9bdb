"""An external authorizer of MeshConfig ``extensionProviders``, checked and with its service found (rows AP-06, AP-27)."""

from __future__ import annotations

from dataclasses import dataclass

from mizzen.api.meta import Duration

DEFAULT_TIMEOUT = Duration(600_000_000_000)
"""Istio's default, a documented trap."""


@dataclass(frozen=True)
class BodyInCheck:
    max_bytes: int
    partial: bool = False
    as_bytes: bool = False


@dataclass(frozen=True)
class HttpCheck:
    """What an ``envoyExtAuthzHttp`` provider sends and takes. Header lists hold ``v``, ``p*`` or ``*s``."""

    path_prefix: str = ""
    request_headers: tuple[str, ...] = ()
    added_headers: tuple[tuple[str, str], ...] = ()
    upstream_on_allow: tuple[str, ...] = ()
    downstream_on_allow: tuple[str, ...] = ()
    downstream_on_deny: tuple[str, ...] = ()


@dataclass(frozen=True)
class Authorizer:
    """``http`` is None for a gRPC provider. ``status_on_error`` 0 leaves Envoy's 403."""

    name: str
    hostname: str
    port: int
    timeout: Duration = DEFAULT_TIMEOUT
    fail_open: bool = False
    status_on_error: int = 0
    clear_route_cache: bool = False
    body: BodyInCheck | None = None
    http: HttpCheck | None = None
