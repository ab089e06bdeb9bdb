"""Access logs over gRPC: which logger, which cluster, which name."""

import pytest
from envoy.extensions.access_loggers.grpc.v3 import als_pb2
from envoy.extensions.access_loggers.open_telemetry.v3 import logs_service_pb2

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.provider import Logger, LoggerKind
from mizzen.model.report import Report
from mizzen.translate import access_log, log_service

HOST = "sink.watch.svc.cluster.local"


def logger(kind: LoggerKind, **more: object) -> Logger:
    return Logger(name="l", kind=kind, hostname=HOST, port=4317, log_name="mine", **more)  # type: ignore[arg-type]


@pytest.mark.row("MC-13")
def test_envoys_own_log_service() -> None:
    found = log_service.access_log(logger(LoggerKind.HTTP_ALS, request_headers=("x-a",)), "")
    config = als_pb2.HttpGrpcAccessLogConfig()
    assert found.name == "envoy.http_grpc_access_log"
    assert found.typed_config.Unpack(config)
    target = config.common_config.grpc_service.envoy_grpc
    assert (config.common_config.log_name, target.cluster_name, target.authority) == (
        "mine",
        f"outbound|4317||{HOST}",
        HOST,
    )
    assert list(config.additional_request_headers_to_log) == ["x-a"]
    tcp = als_pb2.TcpGrpcAccessLogConfig()
    assert log_service.access_log(logger(LoggerKind.TCP_ALS), "", listener=True).typed_config.Unpack(tcp)
    assert tcp.common_config.log_name == "listener_envoy_accesslog"


@pytest.mark.row("MC-13")
def test_each_chain_has_the_service_that_fits_it() -> None:
    both = Report(loggers=(logger(LoggerKind.HTTP_ALS), logger(LoggerKind.TCP_ALS)))
    names = [
        [log.name for log in logs(MeshConfig(), both)]
        for logs in (access_log.request_logs, access_log.connection_logs, access_log.listener_logs)
    ]
    assert names == [["envoy.http_grpc_access_log"], ["envoy.tcp_grpc_access_log"], ["envoy.tcp_grpc_access_log"]]


@pytest.mark.row("MC-14")
def test_opentelemetry() -> None:
    found = log_service.access_log(logger(LoggerKind.OTEL_ALS, labels=(("a", "%PROTOCOL%"),)), "line\n")
    config = logs_service_pb2.OpenTelemetryAccessLogConfig()
    assert found.typed_config.Unpack(config)
    assert config.disable_builtin_labels
    assert config.body.string_value == "line\n"
    assert [(pair.key, pair.value.string_value) for pair in config.attributes.values] == [("a", "%PROTOCOL%")]
    assert not config.formatters


@pytest.mark.row("LG-04", "LG-07", "MC-14")
@pytest.mark.parametrize(
    "more", [{"text": "%REQ_WITHOUT_QUERY(:PATH)%"}, {"labels": (("path", "%REQ_WITHOUT_QUERY(:PATH)%"),)}]
)
def test_opentelemetry_gets_the_formatter_that_its_format_needs(more: dict[str, object]) -> None:
    config = logs_service_pb2.OpenTelemetryAccessLogConfig()
    assert log_service.access_log(logger(LoggerKind.OTEL_ALS, **more), "").typed_config.Unpack(config)
    assert [formatter.name for formatter in config.formatters] == ["envoy.formatter.req_without_query"]
