"""MeshConfig ``extensionProviders`` for traces and access logs, each checked by itself (rows MC-06, MC-08 to MC-14).

A faulty one is a text that says why; the others, and the rest of the mesh config, stand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from mizzen.api import log_format
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Duration
from mizzen.model.provider import Call, Header, Logger, LoggerKind, NotFound, Sampler, Tracer, TracerKind
from mizzen.model.service import Service

Hosts: TypeAlias = Mapping[str, tuple[Service, ...]]
Provider: TypeAlias = Tracer | Logger
Found: TypeAlias = Mapping[str, Provider | str]

ZIPKIN_PATH = "/api/v2/spans"
BUILT_IN: dict[str, Provider] = {
    "envoy": Logger(name="envoy", kind=LoggerKind.FILE, path="/dev/stdout", follows_mesh=True)
}
"""Known without declaration; ``prometheus`` and ``stackdriver``, the other two, are of metrics (row MC-06)."""

_OLD = {
    "lightstep": "Lightstep is no longer sent to; use an opentelemetry provider",
    "opencensus": "OpenCensus is no longer sent to; use an opentelemetry provider",
    "stackdriver": "Stackdriver is not sent to; use an opentelemetry provider",
}
_DETECTORS = ("environment", "dynatrace")
_CONTEXTS = ("USE_B3", "USE_B3_WITH_W3C_PROPAGATION")


def providers(mesh: MeshConfig, hosts: Hosts, environment: Mapping[str, str]) -> Found:
    """Every provider of traces and of access logs by its name in lower case; a text where it cannot be used.

    ``environment``: the control plane's, for headers that name a variable.
    """
    found: dict[str, Provider | str] = dict(BUILT_IN)
    for raw in mesh.extension_providers:
        name = str(raw.get("name", ""))
        kind = next((key for key in _KINDS if key in raw), None)
        if kind is None:
            continue
        try:
            found[name.lower()] = _KINDS[kind](_Block(name, kind, raw[kind], hosts, environment))
        except _NoService as error:
            found[name.lower()] = NotFound(f"provider {name}: {error}", kind)
        except (ValueError, TypeError) as error:
            found[name.lower()] = f"provider {name}: {error}"
    return found


class _NoService(ValueError):
    """The service of a provider cannot be told."""


class _Block:
    """The fields of one provider, read with their types. Every reader raises ValueError."""

    def __init__(self, name: str, kind: str, raw: Any, hosts: Hosts, environment: Mapping[str, str]) -> None:
        if not isinstance(raw, dict):
            raise ValueError(f"{kind} must be a map")
        self.name, self.kind, self._raw, self._hosts, self._environment = name, kind, raw, hosts, environment

    def __contains__(self, field: str) -> bool:
        return self._raw.get(field) is not None

    def text(self, field: str, default: str = "") -> str:
        value = self._raw.get(field)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{field} is no text")
        return value or default

    def flag(self, field: str) -> bool:
        value = self._raw.get(field)
        if value not in (None, True, False):
            raise ValueError(f"{field} is neither true nor false")
        return value is True

    def number(self, field: str, highest: int) -> int:
        """0 when it is not given."""
        value = self._raw.get(field) or 0
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= highest:
            raise ValueError(f"{field} {value!r} is no number from 0 to {highest}")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._raw.get(field) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{field} is no list of texts")
        return tuple(value)

    def duration(self, field: str) -> Duration | None:
        text = self.text(field)
        return Duration.parse(text) if text else None

    def below(self, field: str) -> _Block:
        return _Block(self.name, field, self._raw.get(field) or {}, self._hosts, self._environment)

    def map(self, field: str) -> dict[str, Any]:
        value = self._raw.get(field) or {}
        if not isinstance(value, dict):
            raise ValueError(f"{field} is no map")
        return value

    def service(self) -> tuple[str, int]:
        """Host and port. ``ns/host`` or ``host``, which must be one service of the mesh (rows MC-06, TR-10)."""
        written, port = self.text("service"), self.number("port", 65535)
        if not port:
            raise ValueError("a port is required")
        namespace, _, host = written.rpartition("/")
        found = [s for s in self._hosts.get(host, ()) if not namespace or s.namespace == namespace]
        if not found:
            raise _NoService(f"there is no service {written!r}")
        if len({service.namespace for service in found}) > 1:
            raise _NoService(f"{written!r} is in several namespaces; write namespace/host")
        if all(candidate.number != port for candidate in found[0].ports):
            raise ValueError(f"service {written!r} has no port {port}")
        return host, port

    def headers(self, field: str) -> tuple[Header, ...]:
        """``value``, or ``envName`` of the control plane's environment."""
        found = []
        for item in self._raw.get(field) or []:
            if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"]:
                raise ValueError(f"an entry of {field} has no name")
            variable = item.get("envName")
            if variable and variable not in self._environment:
                raise ValueError(f"{field}: the control plane has no environment variable {variable}")
            found.append(Header(item["name"], self._environment[variable] if variable else str(item.get("value", ""))))
        return tuple(found)

    def call(self, headers: str = "headers") -> Call:
        path = self.text("path")
        if path and not path.startswith("/"):
            raise ValueError(f"path {path!r} does not begin with a slash")
        return Call(path, self.duration("timeout"), self.headers(headers))


def _zipkin(block: _Block) -> Tracer:
    host, port = block.service()
    context = block.text("traceContextOption", _CONTEXTS[0])
    if context not in _CONTEXTS:
        raise ValueError(f"traceContextOption {context!r} is none of {', '.join(_CONTEXTS)}")
    call = block.call()
    return Tracer(
        name=block.name,
        kind=TracerKind.ZIPKIN,
        hostname=host,
        port=port,
        max_tag_length=block.number("maxTagLength", 2**31 - 1),
        long_ids=not block.flag("enable64bitTraceId"),
        w3c=context == _CONTEXTS[1],
        http=Call(call.path or ZIPKIN_PATH, call.timeout, call.headers),
    )


def _datadog(block: _Block) -> Tracer:
    host, port = block.service()
    longest = block.number("maxTagLength", 2**31 - 1)
    return Tracer(name=block.name, kind=TracerKind.DATADOG, hostname=host, port=port, max_tag_length=longest)


def _opentelemetry(block: _Block) -> Tracer:
    if "http" in block and "grpc" in block:
        raise ValueError("only one of http and grpc may be set")
    host, port = block.service()
    detectors = block.map("resourceDetectors")
    unknown = detectors.keys() - set(_DETECTORS)
    if unknown:
        raise ValueError(f"resourceDetectors: {', '.join(sorted(unknown))} is not known")
    return Tracer(
        name=block.name,
        kind=TracerKind.OPENTELEMETRY,
        hostname=host,
        port=port,
        max_tag_length=block.number("maxTagLength", 2**31 - 1),
        http=block.below("http").call() if "http" in block else None,
        grpc=block.below("grpc").call("initialMetadata"),
        detectors=tuple(name for name in _DETECTORS if name in detectors),
        sampler=_sampler(block.below("dynatraceSampler")) if "dynatraceSampler" in block else None,
    )


def _sampler(block: _Block) -> Sampler:
    tenant = block.text("tenant")
    if not tenant or "clusterId" not in block:
        raise ValueError("dynatraceSampler needs tenant and clusterId")
    service = block.below("httpService")
    http = service.below("http")
    if not http.text("path"):
        raise ValueError("dynatraceSampler.httpService.http needs a path")
    host, port = service.service()
    return Sampler(
        tenant=tenant,
        cluster_id=int(block._raw["clusterId"]),
        hostname=host,
        port=port,
        root_spans_per_minute=block.number("rootSpansPerMinute", 2**31 - 1),
        call=http.call(),
    )


def _skywalking(block: _Block) -> Tracer:
    host, port = block.service()
    return Tracer(name=block.name, kind=TracerKind.SKYWALKING, hostname=host, port=port)


def _old(block: _Block) -> Provider:
    raise ValueError(_OLD[block.kind])


def _file(block: _Block) -> Logger:
    path = block.text("path")
    if not path:
        raise ValueError("envoyFileAccessLog needs a path")
    form = block.below("logFormat")
    if "text" in form and "labels" in form:
        raise ValueError("logFormat: only one of text and labels may be set")
    labels, fault = _labels(form), _format_fault(form)
    return Logger(
        name=block.name,
        kind=LoggerKind.FILE,
        path=path,
        text="" if fault else form.text("text"),
        labels=labels if not fault else (("", None),) if labels else (),
        omit_empty=block.flag("omitEmptyValues"),
        format_fault=fault,
    )


def _format_fault(form: _Block) -> str:
    """Row LG-04: Envoy would refuse every listener that logs."""
    return log_format.problem(form.text("text")) or log_format.problem_in(form.map("labels"))


def _labels(form: _Block) -> tuple[tuple[str, Any], ...]:
    labels = form.map("labels")
    json.dumps(labels)
    # An empty map asks for the default set of fields (row LG-03).
    return tuple(sorted(labels.items())) if labels or "labels" not in form else (("", None),)


def _als(block: _Block) -> Logger:
    host, port = block.service()
    kind = LoggerKind(block.kind)
    default = "http_envoy_accesslog" if kind is LoggerKind.HTTP_ALS else "tcp_envoy_accesslog"
    return Logger(
        name=block.name,
        kind=kind,
        hostname=host,
        port=port,
        log_name=block.text("logName", default),
        filter_state=block.texts("filterStateObjectsToLog"),
        request_headers=block.texts("additionalRequestHeadersToLog"),
        response_headers=block.texts("additionalResponseHeadersToLog"),
        response_trailers=block.texts("additionalResponseTrailersToLog"),
    )


def _otel_als(block: _Block) -> Logger:
    host, port = block.service()
    form = block.below("logFormat")
    fault = _format_fault(form)
    return Logger(
        name=block.name,
        kind=LoggerKind.OTEL_ALS,
        hostname=host,
        port=port,
        log_name=block.text("logName", "otel_envoy_accesslog"),
        text="" if fault else form.text("text"),
        labels=() if fault else tuple(sorted(form.map("labels").items())),
        format_fault=fault,
    )


_KINDS: dict[str, Callable[[_Block], Provider]] = {
    "zipkin": _zipkin,
    "datadog": _datadog,
    "opentelemetry": _opentelemetry,
    "skywalking": _skywalking,
    "envoyFileAccessLog": _file,
    "envoyHttpAls": _als,
    "envoyTcpAls": _als,
    "envoyOtelAls": _otel_als,
    **dict.fromkeys(_OLD, _old),
}


def usable(found: Found, names: Iterable[str], kind: type[Provider]) -> list[Any]:
    """Those of ``names`` that exist, are of this kind and can be used."""
    chosen = (found.get(name.lower()) for name in names)
    return [provider for provider in chosen if isinstance(provider, kind)]
