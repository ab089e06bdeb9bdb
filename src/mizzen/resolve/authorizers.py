"""The external authorizers of MeshConfig, and findings about policies that name none of them (rows AP-06, AP-27, MC-07)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Duration, Object
from mizzen.model.authorizer import DEFAULT_TIMEOUT, Authorizer, BodyInCheck, HttpCheck
from mizzen.model.closed import NO_PROVIDER
from mizzen.model.finding import Finding, Level
from mizzen.model.service import Service
from mizzen.resolve import problems

_HTTP, _GRPC = "envoyExtAuthzHttp", "envoyExtAuthzGrpc"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HEADER_NAME = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+")
Hosts = Mapping[str, tuple[Service, ...]]


def authorizers(mesh: MeshConfig, hosts: Hosts) -> dict[str, Authorizer | str]:
    """Every ext_authz provider by name: checked, or the text that says what is wrong with it."""
    found: dict[str, Authorizer | str] = {}
    for raw in mesh.extension_providers:
        kind = next((kind for kind in (_HTTP, _GRPC) if isinstance(raw.get(kind), dict)), None)
        if kind is None:
            continue
        name = str(raw.get("name", ""))
        if name in found:
            found[name] = f"two providers are called {name!r}"
            continue
        try:
            found[name] = _authorizer(name, raw[kind], hosts, http=kind == _HTTP)
        except (ValueError, TypeError) as error:
            found[name] = str(error)
    return found


def authorizer_findings(policies: Iterable[Object], known: Mapping[str, Authorizer | str]) -> tuple[Finding, ...]:
    """An error per CUSTOM policy whose provider cannot be asked: what it selects is denied."""
    found = []
    for obj in policies:
        if obj.body.action != "CUSTOM":
            continue
        name = obj.body.provider.name if obj.body.provider else ""
        provider = known.get(name)
        if isinstance(provider, Authorizer):
            continue
        why = provider or f"no extension provider {name!r} is defined"
        text = f"{why}; requests that the rules select are denied"
        found.append(problems.about(obj, NO_PROVIDER, Level.ERROR, text, "spec.provider.name"))
    return tuple(found)


def usable(known: Mapping[str, Authorizer | str]) -> dict[str, Authorizer]:
    return {name: provider for name, provider in known.items() if isinstance(provider, Authorizer)}


def _authorizer(name: str, raw: dict[str, Any], hosts: Hosts, http: bool) -> Authorizer:
    """Raises ValueError or TypeError with the reason."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a provider: lower-case letters, digits and hyphens, at most 63")
    port = raw.get("port")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError(f"provider {name}: {port!r} is no port")
    timeout = Duration.parse(raw["timeout"]) if raw.get("timeout") else DEFAULT_TIMEOUT
    return Authorizer(
        name=name,
        hostname=_hostname(name, str(raw.get("service", "")), hosts),
        port=port,
        timeout=timeout,
        fail_open=raw.get("failOpen") is True,
        status_on_error=_status(name, raw.get("statusOnError")),
        clear_route_cache=raw.get("clearRouteCache") is True,
        body=_body(name, raw.get("includeRequestBodyInCheck")),
        http=_http(name, raw) if http else None,
    )


def _hostname(name: str, written: str, hosts: Hosts) -> str:
    """``ns/host`` or ``host``; the service must exist (row MC-06)."""
    namespace, _, host = written.rpartition("/")
    services = hosts.get(host, ())
    if not any(not namespace or service.namespace == namespace for service in services):
        raise ValueError(f"provider {name}: there is no service {written!r}")
    return host


def _status(name: str, written: Any) -> int:
    if written in (None, ""):
        return 0
    text = str(written)
    if not text.isascii() or not text.isdigit() or not 100 <= int(text) < 600:
        raise ValueError(f"provider {name}: statusOnError {written!r} is no HTTP status")
    return int(text)


def _body(name: str, raw: Any) -> BodyInCheck | None:
    if not isinstance(raw, dict):
        return None
    size = raw.get("maxRequestBytes", 0)
    if not isinstance(size, int) or not 0 < size < 2**32:
        raise ValueError(f"provider {name}: maxRequestBytes {size!r} is no size")
    return BodyInCheck(size, raw.get("allowPartialMessage") is True, raw.get("packAsBytes") is True)


def _http(name: str, raw: dict[str, Any]) -> HttpCheck:
    prefix = str(raw.get("pathPrefix") or "")
    if prefix and not prefix.startswith("/"):
        raise ValueError(f"provider {name}: pathPrefix {prefix!r} does not start with a slash")
    added = raw.get("includeAdditionalHeadersInCheck") or {}
    for header in added:
        if not _HEADER_NAME.fullmatch(str(header)):
            raise ValueError(f"provider {name}: {header!r} is no header name")
    sent = raw.get("includeRequestHeadersInCheck") or raw.get("includeHeadersInCheck")
    return HttpCheck(
        path_prefix=prefix,
        request_headers=_headers(name, sent),
        added_headers=tuple(sorted((str(key), str(value)) for key, value in added.items())),
        upstream_on_allow=_headers(name, raw.get("headersToUpstreamOnAllow")),
        downstream_on_allow=_headers(name, raw.get("headersToDownstreamOnAllow")),
        downstream_on_deny=_headers(name, raw.get("headersToDownstreamOnDeny")),
    )


def _headers(name: str, written: Any) -> tuple[str, ...]:
    found = tuple(str(value) for value in written or ())
    for value in found:
        if not value or value == "*" or "*" in value[1:-1] or (value[0] == value[-1] == "*"):
            raise ValueError(f"provider {name}: {value!r} is no header, prefix* or *suffix")
    return found
