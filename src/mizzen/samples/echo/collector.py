"""A small collector of traces and access logs for tests and tutorials: it takes what the big ones take, keeps the latest
and shows them as JSON.

    9411  Zipkin, ``POST /api/v2/spans`` or any other path    8126  Datadog's agent, ``/v0.4/traces`` and its like
    4317  OpenTelemetry over gRPC, spans and logs             4318  OpenTelemetry over HTTP

The classes at hand have OTLP's field names of before 0.15 (``instrumentation_library_spans``); the wire is the same.

``GET /spans`` on any of them lists spans {format, trace, span, parent, service, name, tags, path, headers}, ``GET /logs``
records {body, attributes}, ``DELETE /`` forgets everything.
"""

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from mizzen.samples.echo import grpc
from mizzen.samples.echo.answer import Echo, Ledger
from mizzen.samples.echo.exchange import Request, Response, first
from mizzen.samples.echo.server import Server

PORTS = (9411, 8126, 4317, 4318)
LATEST = 20_000
Span = dict[str, Any]

_LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


class Collector(Echo):
    """Keeps the latest spans and log records."""

    def __init__(self) -> None:
        super().__init__("collector", "v1", "", Ledger())
        self.spans: deque[Span] = deque(maxlen=LATEST)
        self.logs: deque[dict[str, Any]] = deque(maxlen=LATEST)

    async def answer(self, request: Request) -> Response:
        """Takes what an exporter sends, or shows what there is."""
        path = request.target.partition("?")[0]
        if request.method == "GET":
            found = {"/spans": self.spans, "/logs": self.logs}.get(path)
            return _json(list(found)) if found is not None else _json({"endpoints": []})
        if request.method == "DELETE":
            self.spans.clear()
            self.logs.clear()
            return _json({})
        if first(request.headers, "content-type").startswith("application/grpc"):
            self._take(path, "otlp-grpc", grpc.unframed(request.body), request)
            return Response(200, [("content-type", "application/grpc")], grpc.framed(b""), [("grpc-status", "0")])
        try:
            return self._over_http(path, request)
        except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
            return _json({"error": str(error)}, 400)

    def _over_http(self, path: str, request: Request) -> Response:
        kind = first(request.headers, "content-type")
        if kind.startswith("application/x-protobuf"):
            self._take(path, "otlp-http", request.body, request)
            return Response(200, [("content-type", "application/x-protobuf")])
        if kind.startswith("application/msgpack"):
            self._keep(datadog(request.body), request)
        elif kind.startswith("application/json") and isinstance(found := json.loads(request.body), list):
            self._keep(zipkin(found), request)
        return _json({"rate_by_service": {}})

    def _take(self, path: str, form: str, message: bytes, request: Request) -> None:
        if path == _LOGS:
            self.logs.extend(log_records(message))
        else:
            self._keep(({**span, "format": form} for span in opentelemetry(message)), request)

    def _keep(self, spans: Iterable[Span], request: Request) -> None:
        about = {"path": request.target, "headers": dict(request.headers)}
        self.spans.extend({**span, **about} for span in spans)


def zipkin(spans: list[Any]) -> Iterator[Span]:
    """Of Zipkin's JSON, version 2."""
    for span in spans:
        yield {
            "format": "zipkin",
            "trace": span["traceId"],
            "span": span["id"],
            "parent": span.get("parentId", ""),
            "service": span.get("localEndpoint", {}).get("serviceName", ""),
            "name": span.get("name", ""),
            "kind": span.get("kind", ""),
            "tags": span.get("tags", {}),
        }


def datadog(body: bytes) -> Iterator[Span]:
    """Of the agent's msgpack: a list of traces, each a list of spans."""
    for trace in msgspec.msgpack.decode(body):
        for span in trace:
            yield {
                "format": "datadog",
                "trace": str(span["trace_id"]),
                "span": str(span["span_id"]),
                "parent": str(span.get("parent_id") or ""),
                "service": span.get("service", ""),
                "name": span.get("resource", ""),
                "kind": span.get("name", ""),
                "tags": dict(span.get("meta") or {}),
            }


def opentelemetry(message: bytes) -> Iterator[Span]:
    """Of an ExportTraceServiceRequest."""
    found = trace_service_pb2.ExportTraceServiceRequest.FromString(message)
    for group in found.resource_spans:
        resource = {pair.key: pair.value.string_value for pair in group.resource.attributes}
        for span in (span for scope in group.instrumentation_library_spans for span in scope.spans):
            yield {
                "trace": span.trace_id.hex(),
                "span": span.span_id.hex(),
                "parent": span.parent_span_id.hex(),
                "service": resource.get("service.name", ""),
                "name": span.name,
                "kind": span.kind,
                "tags": {pair.key: pair.value.string_value for pair in span.attributes},
                "resource": resource,
            }


def log_records(message: bytes) -> Iterator[dict[str, Any]]:
    """Of an ExportLogsServiceRequest."""
    found = logs_service_pb2.ExportLogsServiceRequest.FromString(message)
    for group in found.resource_logs:
        for record in (record for scope in group.instrumentation_library_logs for record in scope.logs):
            attributes = {pair.key: pair.value.string_value for pair in record.attributes}
            yield {"body": record.body.string_value, "attributes": attributes}


def _json(value: Any, status: int = 200) -> Response:
    return Response(status, [("content-type", "application/json")], json.dumps(value).encode())


async def run() -> None:
    """Serves until SIGTERM."""
    server, stop = Server(Collector(), None), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    for port in PORTS:
        await server.listen("http", "0.0.0.0", port)
    await stop.wait()


if __name__ == "__main__":
    print("collector", *PORTS, file=sys.stderr, flush=True)
    asyncio.run(run())
