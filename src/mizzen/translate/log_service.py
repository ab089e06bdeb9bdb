"""Access logs that go over gRPC: Envoy's own log service and OpenTelemetry's (rows LG-07, MC-13, MC-14)."""

from __future__ import annotations

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import config_source_pb2, extension_pb2
from envoy.extensions.access_loggers.grpc.v3 import als_pb2
from envoy.extensions.access_loggers.open_telemetry.v3 import logs_service_pb2
from envoy.extensions.formatter.req_without_query.v3 import req_without_query_pb2
from google.protobuf.message import Message
from opentelemetry.proto.common.v1 import common_pb2

from mizzen.model.provider import Logger, LoggerKind
from mizzen.translate import names
from mizzen.translate.messages import any_of

LISTENER_LOG = "listener_envoy_accesslog"


def formatters(written: object) -> list[extension_pb2.TypedExtensionConfig]:
    """What a format, of whatever form, needs beside the operators built into Envoy, which else refuses the listener (row LG-04)."""
    if "REQ_WITHOUT_QUERY" not in str(written):
        return []
    config = any_of(req_without_query_pb2.ReqWithoutQuery())
    return [extension_pb2.TypedExtensionConfig(name="envoy.formatter.req_without_query", typed_config=config)]


def access_log(logger: Logger, default_text: str, *, listener: bool = False) -> accesslog_pb2.AccessLog:
    """The entry for a gRPC ``logger``. ``default_text`` is OpenTelemetry's body when no text is given."""
    common = _common(logger, listener)
    config: Message
    match logger.kind:
        case LoggerKind.HTTP_ALS:
            name = "envoy.http_grpc_access_log"
            config = als_pb2.HttpGrpcAccessLogConfig(
                common_config=common,
                additional_request_headers_to_log=logger.request_headers,
                additional_response_headers_to_log=logger.response_headers,
                additional_response_trailers_to_log=logger.response_trailers,
            )
        case LoggerKind.TCP_ALS:
            name, config = "envoy.tcp_grpc_access_log", als_pb2.TcpGrpcAccessLogConfig(common_config=common)
        case _:
            name, config = "envoy.access_loggers.open_telemetry", _opentelemetry(logger, common, default_text)
    return accesslog_pb2.AccessLog(name=name, typed_config=any_of(config))


def _common(logger: Logger, listener: bool) -> als_pb2.CommonGrpcAccessLogConfig:
    common = als_pb2.CommonGrpcAccessLogConfig(
        log_name=LISTENER_LOG if listener else logger.log_name,
        transport_api_version=config_source_pb2.V3,
        filter_state_objects_to_log=logger.filter_state,
    )
    target = common.grpc_service.envoy_grpc
    target.cluster_name = logger.cluster or names.cluster(logger.port, "", logger.hostname)
    target.authority = logger.hostname
    return common


def _opentelemetry(
    logger: Logger, common: als_pb2.CommonGrpcAccessLogConfig, default_text: str
) -> logs_service_pb2.OpenTelemetryAccessLogConfig:
    config = logs_service_pb2.OpenTelemetryAccessLogConfig(common_config=common, disable_builtin_labels=True)
    config.body.string_value = logger.text or default_text
    for key, value in logger.labels:
        config.attributes.values.append(
            common_pb2.KeyValue(key=key, value=common_pb2.AnyValue(string_value=str(value)))
        )
    config.formatters.extend(formatters((config.body.string_value, logger.labels)))
    return config
