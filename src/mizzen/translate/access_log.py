"""Access logs that MeshConfig asks for: the HTTP and TCP entries, and each listener's own (rows LG-01 to LG-05, MC-12)."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, TypeAlias

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import substitution_format_string_pb2
from envoy.data.accesslog.v3 import accesslog_pb2 as data_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2

from mizzen.api import log_format
from mizzen.api.mesh_config import MeshConfig
from mizzen.model.provider import Logger, LoggerKind
from mizzen.model.report import DEFAULT_REPORT, Report
from mizzen.translate import log_service
from mizzen.translate.messages import any_of

AccessLog: TypeAlias = accesslog_pb2.AccessLog
Format: TypeAlias = substitution_format_string_pb2.SubstitutionFormatString

TEXT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% '
    '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% '
    "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)
"""Istio's default line (row LG-02)."""

JSON: dict[str, Any] = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}
"""Istio's default JSON keys (row LG-03)."""


def request_logs(mesh: MeshConfig, report: Report = DEFAULT_REPORT) -> list[AccessLog]:
    """The entries per request: those of the providers in force, else one file when ``accessLogFile`` is set (LG-01)."""
    return _logs(mesh, report, LoggerKind.HTTP_ALS)


def connection_logs(mesh: MeshConfig, report: Report = DEFAULT_REPORT) -> list[AccessLog]:
    """As :func:`request_logs` for a TCP proxy, whose entry at connect is for metrics only."""
    logs = _logs(mesh, report, LoggerKind.TCP_ALS)
    condition = accesslog_pb2.AccessLogFilter()
    condition.log_type_filter.types.append(data_pb2.TcpConnectionEnd)
    return [_only(log, condition) for log in logs]


def listener_logs(mesh: MeshConfig, report: Report = DEFAULT_REPORT) -> list[AccessLog]:
    """A listener's own entries, for connections that found no filter chain: flag NR (row LG-05)."""
    if mesh.disable_envoy_listener_log:
        return []
    logs = _logs(mesh, report, LoggerKind.TCP_ALS, listener=True)
    condition = accesslog_pb2.AccessLogFilter()
    condition.response_flag_filter.flags.append("NR")
    return [_only(log, condition) for log in logs]


def _only(log: AccessLog, condition: accesslog_pb2.AccessLogFilter) -> AccessLog:
    """``log`` where ``condition`` holds, and the filter of a Telemetry, if it has one (row LG-05)."""
    if log.HasField("filter"):
        both = accesslog_pb2.AccessLogFilter()
        both.and_filter.filters.extend([condition, log.filter])
        condition = both
    log.filter.CopyFrom(condition)
    return log


def _logs(mesh: MeshConfig, report: Report, stream: LoggerKind, listener: bool = False) -> list[AccessLog]:
    """``stream``: which of the two gRPC log services fits the chain."""
    if report.loggers is None:
        return [_file(mesh.access_log_file, _format(mesh))] if mesh.access_log_file else []
    found = []
    for logger in report.loggers:
        if logger.kind is LoggerKind.FILE:
            log = _file(logger.path, _format(mesh) if logger.follows_mesh else _own_format(logger))
        elif logger.kind is LoggerKind.OTEL_ALS or logger.kind is stream:
            log = log_service.access_log(logger, TEXT, listener=listener)
        else:
            continue
        if logger.filter:
            log.filter.CopyFrom(_fulfilled(logger.filter))
        found.append(log)
    return found


def _fulfilled(expression: str) -> accesslog_pb2.AccessLogFilter:
    """Row LG-06; the functions on texts, which CEL in Envoy does not have unasked, are switched on."""
    config = cel_pb2.ExpressionFilter(expression=expression)
    for switch in ("enable_string_conversion", "enable_string_concat", "enable_string_functions"):
        setattr(config.cel_config, switch, True)
    found = accesslog_pb2.AccessLogFilter()
    found.extension_filter.name = "envoy.access_loggers.extension_filters.cel"
    found.extension_filter.typed_config.CopyFrom(any_of(config))
    return found


def _file(path: str, line: Format) -> AccessLog:
    config = file_pb2.FileAccessLog(path=path, log_format=line)
    return AccessLog(name="envoy.access_loggers.file", typed_config=any_of(config))


def _format(mesh: MeshConfig) -> Format:
    return _mesh_format(mesh.access_log_encoding, mesh.access_log_format)


@lru_cache(maxsize=16)
def _mesh_format(encoding: str, text: str) -> Format:
    """The default where Envoy would refuse what MeshConfig has (row LG-04); `check` reports it. Not to be changed."""
    if encoding == "JSON":
        return _json_text(text)
    return _text("" if log_format.problem(text) else text)


def _own_format(logger: Logger) -> Format:
    """Of an ``envoyFileAccessLog``; labels make JSON, and no label at all the default set of fields (row MC-12)."""
    labels = {name: value for name, value in logger.labels if name}
    line = _json(labels or JSON) if logger.labels else _text(logger.text)
    line.omit_empty_values = logger.omit_empty
    return line


def _text(text: str) -> Format:
    text = text or TEXT
    if not text.endswith("\n"):
        text += "\n"
    line = Format()
    line.text_format_source.inline_string = text
    line.formatters.extend(log_service.formatters(text))
    return line


def _json_text(text: str) -> Format:
    """A format that is no JSON object, or an empty one, gives the default (row LG-03); `check` reports it."""
    try:
        fields = json.loads(text) if text else JSON
    except ValueError:
        fields = JSON
    good = isinstance(fields, dict) and fields and not log_format.problem_in(fields)
    return _json(fields if good else JSON)


def _json(fields: dict[str, Any]) -> Format:
    line = Format()
    line.json_format.update(fields)
    line.formatters.extend(log_service.formatters(fields))
    return line
