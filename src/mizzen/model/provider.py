"""Where proxies send traces and access logs: extension providers of MeshConfig, checked and with their clusters found.

Rows MC-08 to MC-14, TR-02 to TR-05, LG-07.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mizzen.api.mesh_config import CustomTag
from mizzen.api.meta import Duration


class NotFound(str):
    """Why a provider of the sort ``kind`` cannot be used: its service is not there, or not one (row TR-10)."""

    kind: str

    def __new__(cls, why: str, kind: str) -> NotFound:
        found = super().__new__(cls, why)
        found.kind = kind
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) == str(other) and self.kind == getattr(other, "kind", self.kind)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


class TracerKind(StrEnum):
    ZIPKIN = "zipkin"
    DATADOG = "datadog"
    OPENTELEMETRY = "opentelemetry"
    SKYWALKING = "skywalking"


@dataclass(frozen=True)
class Header:
    name: str
    value: str


@dataclass(frozen=True)
class Call:
    """One way to a service over HTTP or gRPC. ``headers`` may hold secrets and are not shown."""

    path: str = ""
    timeout: Duration | None = None
    headers: tuple[Header, ...] = ()

    def __repr__(self) -> str:
        return f"Call(path={self.path!r})"


@dataclass(frozen=True)
class Sampler:
    """Dynatrace's own sampler, which asks ``hostname`` how much to sample."""

    tenant: str
    cluster_id: int
    hostname: str
    port: int
    root_spans_per_minute: int
    call: Call


@dataclass(frozen=True)
class Tracer:
    """A collector: a service and its port, or a ``cluster`` that is in the proxy's bootstrap. ``http`` is None where an
    OpenTelemetry collector speaks gRPC."""

    name: str
    kind: TracerKind
    hostname: str = ""
    port: int = 0
    cluster: str = ""
    max_tag_length: int = 0
    long_ids: bool = True
    w3c: bool = False
    http: Call | None = None
    grpc: Call = Call()
    detectors: tuple[str, ...] = ()
    sampler: Sampler | None = None

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Every service whose cluster a proxy must have."""
        names = (self.hostname, self.sampler.hostname if self.sampler else "")
        return tuple(name for name in names if name)


class LoggerKind(StrEnum):
    FILE = "envoyFileAccessLog"
    HTTP_ALS = "envoyHttpAls"
    TCP_ALS = "envoyTcpAls"
    OTEL_ALS = "envoyOtelAls"


@dataclass(frozen=True)
class Logger:
    """``text`` and ``labels`` empty: the format that MeshConfig or Istio has (row LG-02). A gRPC sink is a
    service and its port, or a ``cluster`` of the bootstrap."""

    name: str
    kind: LoggerKind
    path: str = ""
    text: str = ""
    labels: tuple[tuple[str, Any], ...] = ()
    omit_empty: bool = False
    follows_mesh: bool = False
    """Whether format and encoding are MeshConfig's: true of the built-in ``envoy`` alone."""
    hostname: str = ""
    port: int = 0
    cluster: str = ""
    log_name: str = ""
    format_fault: str = ""
    """Why the format that the provider has is not used, but the default one (row LG-04)."""
    filter: str = ""
    """A CEL expression that the logged must fulfil; empty: everything is logged (row LG-06)."""
    filter_state: tuple[str, ...] = ()
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    response_trailers: tuple[str, ...] = ()

    @property
    def hostnames(self) -> tuple[str, ...]:
        return (self.hostname,) if self.hostname else ()


@dataclass(frozen=True)
class Tracing:
    """What the HTTP chains of a proxy's side do about traces. ``sampling`` is in percent; 0 for ``path_length`` is Envoy's
    own. ``by_request_id``: the request id decides what is sampled; ``propagation``: trace headers are sent on (row TM-11)."""

    tracer: Tracer
    sampling: float
    tags: tuple[tuple[str, CustomTag], ...] = ()
    path_length: int = 0
    istio_tags: bool = True
    by_request_id: bool = True
    propagation: bool = True
