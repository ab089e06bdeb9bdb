"""The collector keeps what each exporter sends, and shows it alike."""

import asyncio
import json

import msgspec
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from mizzen.samples.echo import grpc
from mizzen.samples.echo.collector import Collector
from mizzen.samples.echo.exchange import Channel, Request, Response


def ask(collector: Collector, method: str, target: str, kind: str = "", body: bytes = b"") -> Response:
    fields = [("content-type", kind)] if kind else []
    request = Request(method, target, "collector", fields, body, "HTTP/1.1", Channel())
    return asyncio.run(collector.answer(request))


def spans(collector: Collector) -> list[tuple[str, str, str]]:
    found = json.loads(ask(collector, "GET", "/spans").body)
    return [(span["format"], span["service"], span["trace"]) for span in found]


def otlp() -> bytes:
    message = trace_service_pb2.ExportTraceServiceRequest()
    group = message.resource_spans.add()
    attribute = group.resource.attributes.add(key="service.name")
    attribute.value.string_value = "web.shop"
    group.instrumentation_library_spans.add().spans.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, name="op")
    return bytes(message.SerializeToString())


def test_spans_of_every_format() -> None:
    collector = Collector()
    one = [{"traceId": "a1", "id": "b1", "localEndpoint": {"serviceName": "web.shop"}}]
    ask(collector, "POST", "/api/v2/spans", "application/json", json.dumps(one).encode())
    dog = msgspec.msgpack.encode([[{"trace_id": 7, "span_id": 8, "service": "web.shop", "meta": {"a": "b"}}]])
    ask(collector, "POST", "/v0.4/traces", "application/msgpack", dog)
    ask(collector, "POST", "/v1/traces", "application/x-protobuf", otlp())
    ask(collector, "POST", "/x.TraceService/Export", "application/grpc", grpc.framed(otlp()))
    long = "01" * 16
    assert spans(collector) == [
        ("zipkin", "web.shop", "a1"),
        ("datadog", "web.shop", "7"),
        ("otlp-http", "web.shop", long),
        ("otlp-grpc", "web.shop", long),
    ]
    ask(collector, "DELETE", "/")
    assert spans(collector) == []


def test_log_records_and_what_is_no_span() -> None:
    collector = Collector()
    message = logs_service_pb2.ExportLogsServiceRequest()
    record = message.resource_logs.add().instrumentation_library_logs.add().logs.add()
    record.body.string_value = "GET /"
    path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
    ask(collector, "POST", path, "application/grpc", grpc.framed(message.SerializeToString()))
    assert json.loads(ask(collector, "GET", "/logs").body) == [{"body": "GET /", "attributes": {}}]
    assert ask(collector, "POST", "/api/v2/spans", "application/json", b"{").status == 400
    assert ask(collector, "POST", "/v0.4/traces", "application/msgpack", b"\xc1").status == 400
