"""Entries of a real Envoy's access log at a real gRPC service, for HTTP and for plain connections."""

import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions
from envoy.service.accesslog.v3 import als_pb2

from mizzen.model.conduct import Conduct
from mizzen.model.protocol import Protocol
from mizzen.model.provider import Logger, LoggerKind
from mizzen.model.report import Report
from mizzen.model.view import MtlsMode
from tests.envoy import mesh
from tests.envoy.loopback import echo_app, http_app
from tests.envoy.mesh import Lab

pytestmark = pytest.mark.envoy

SINK = "envoy_accesslog_service"


class Sink:
    """Envoy's AccessLogService; entries by the name of their log."""

    def __init__(self) -> None:
        self.entries: queue.Queue[tuple[str, als_pb2.StreamAccessLogsMessage]] = queue.Queue()
        self._waiting: list[tuple[str, als_pb2.StreamAccessLogsMessage]] = []
        self.server = grpc.server(ThreadPoolExecutor(8))
        method = grpc.stream_unary_rpc_method_handler(
            self._take,
            als_pb2.StreamAccessLogsMessage.FromString,
            als_pb2.StreamAccessLogsResponse.SerializeToString,
        )
        service = "envoy.service.accesslog.v3.AccessLogService"
        handler = grpc.method_handlers_generic_handler(service, {"StreamAccessLogs": method})
        self.server.add_generic_rpc_handlers((handler,))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def _take(self, messages: Iterator[als_pb2.StreamAccessLogsMessage], _: object) -> als_pb2.StreamAccessLogsResponse:
        name = ""
        for message in messages:
            name = message.identifier.log_name or name
            self.entries.put((name, message))
        return als_pb2.StreamAccessLogsResponse()

    def next(self, name: str) -> als_pb2.StreamAccessLogsMessage:
        """The next message of a log; those of other logs wait for their turn."""
        for place, (found, message) in enumerate(self._waiting):
            if found == name:
                del self._waiting[place]
                return message
        while True:
            found, message = self.entries.get(timeout=20)
            if found == name:
                return message
            self._waiting.append((found, message))


def to_sink(port: int) -> cluster_pb2.Cluster:
    cluster = mesh.stranger_cluster(port, SINK)
    options = cluster.typed_extension_protocol_options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
    http2 = HttpProtocolOptions()
    http2.explicit_http_config.http2_protocol_options.SetInParent()
    options.Pack(http2)
    return cluster


def logger(kind: LoggerKind, name: str, **more: tuple[str, ...]) -> Logger:
    return Logger(name="sink", kind=kind, cluster=SINK, log_name=name, **more)  # type: ignore[arg-type]


@pytest.mark.row("LG-07", "MC-13")
def test_requests_and_connections_arrive_each_at_its_own_service(lab: Lab) -> None:
    sink = Sink()
    both = Conduct(
        server=Report(
            loggers=(
                logger(LoggerKind.HTTP_ALS, "requests", request_headers=("x-team",)),
                logger(LoggerKind.TCP_ALS, "connections"),
            )
        )
    )
    try:
        with http_app() as app, echo_app() as echo:
            web = mesh.inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE)
            raw = mesh.inbound_port(echo, Protocol.TCP, MtlsMode.PERMISSIVE)
            lab.server(web, raw, conduct=both, more=[to_sink(sink.port)])
            assert lab.call(app.port, mesh.request("/path", x_team="blue")).endswith(b"hello")
            lab.call(echo, b"hello")
            (entry,) = sink.next("requests").http_logs.log_entry
            assert (entry.request.path, entry.response.response_code.value) == ("/path", 200)
            assert entry.request.request_headers["x-team"] == "blue"
            (entry_of_bytes,) = sink.next("connections").tcp_logs.log_entry
            assert entry_of_bytes.connection_properties.received_bytes == len(b"hello")
    finally:
        sink.server.stop(None)
