"""telemetry.istio.io Telemetry. Source: istio/api telemetry/v1alpha1/telemetry.proto, rows TM-*."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from mizzen.api.mesh_config import CustomTag
from mizzen.api.meta import Duration, LabelSelector, TargetRef
from mizzen.api.security import Provider


class TracingSelector(Struct, frozen=True, kw_only=True):
    mode: str = "CLIENT_AND_SERVER"


class Tracing(Struct, frozen=True, kw_only=True, rename="camel"):
    match: TracingSelector | None = None
    providers: tuple[Provider, ...] = ()
    random_sampling_percentage: float | None = None
    disable_span_reporting: bool | None = None
    custom_tags: dict[str, CustomTag] | None = None
    use_request_id_for_trace_sampling: bool | None = None
    enable_istio_tags: bool | None = None
    disable_context_propagation: bool | None = None


METRICS: Mapping[str, str] = {
    "REQUEST_COUNT": "requests_total",
    "REQUEST_DURATION": "request_duration_milliseconds",
    "REQUEST_SIZE": "request_bytes",
    "RESPONSE_SIZE": "response_bytes",
    "TCP_OPENED_CONNECTIONS": "tcp_connections_opened_total",
    "TCP_CLOSED_CONNECTIONS": "tcp_connections_closed_total",
    "TCP_SENT_BYTES": "tcp_sent_bytes_total",
    "TCP_RECEIVED_BYTES": "tcp_received_bytes_total",
    "GRPC_REQUEST_MESSAGES": "request_messages_total",
    "GRPC_RESPONSE_MESSAGES": "response_messages_total",
}
"""A metric as Telemetry names it, and as Prometheus does after ``istio_``."""


class MetricSelector(Struct, frozen=True, kw_only=True, rename="camel"):
    metric: str | None = None
    custom_metric: str | None = None
    mode: str = "CLIENT_AND_SERVER"


class TagOverride(Struct, frozen=True, kw_only=True):
    operation: str = "UPSERT"
    value: str = ""


class MetricsOverrides(Struct, frozen=True, kw_only=True, rename="camel"):
    match: MetricSelector | None = None
    disabled: bool | None = None
    tag_overrides: dict[str, TagOverride] = {}


class Metrics(Struct, frozen=True, kw_only=True, rename="camel"):
    providers: tuple[Provider, ...] = ()
    overrides: tuple[MetricsOverrides, ...] = ()
    reporting_interval: Duration | None = None


class LogSelector(Struct, frozen=True, kw_only=True):
    mode: str = "CLIENT_AND_SERVER"


class LogFilter(Struct, frozen=True, kw_only=True):
    expression: str = ""


class AccessLogging(Struct, frozen=True, kw_only=True):
    match: LogSelector | None = None
    providers: tuple[Provider, ...] = ()
    disabled: bool | None = None
    filter: LogFilter | None = None


class Telemetry(Struct, frozen=True, kw_only=True, rename="camel"):
    selector: LabelSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: tuple[TargetRef, ...] = ()
    tracing: tuple[Tracing, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()
