"""Spans of a real Envoy at a real collector: shares, names, tags, kinds, and what goes on in headers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions

from mizzen.api.mesh_config import CustomTag, FormatterTag, HeaderTag, LiteralTag
from mizzen.model.conduct import Conduct
from mizzen.model.protocol import Protocol
from mizzen.model.provider import Call, Tracer, TracerKind, Tracing
from mizzen.model.report import Report
from mizzen.model.view import MtlsMode
from mizzen.samples.echo.collector import zipkin
from mizzen.translate.filters import Direction
from tests.envoy.loopback import free_port, http_app, wait_for
from tests.envoy.mesh import Lab, get, inbound_port, mesh_config, outbound_listener, stranger_cluster

pytestmark = pytest.mark.envoy

SINK = "sink"
TRACE = "463ac35c9f6413ad48485a3953bb6124"


@dataclass
class Sink:
    """Takes what exporters send over HTTP, and keeps Zipkin's spans."""

    port: int = 0
    spans: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def collecting() -> Iterator[Sink]:
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self._chunks() if self.headers.get("transfer-encoding") == "chunked" else self._whole()
            if self.path == "/api/v2/spans":
                sink.spans.extend(zipkin(json.loads(body)))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        do_PUT = do_GET = do_POST

        def _whole(self) -> bytes:
            return self.rfile.read(int(self.headers.get("content-length") or 0))

        def _chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tracer(kind: TracerKind = TracerKind.ZIPKIN, **more: Any) -> Tracer:
    if kind is TracerKind.ZIPKIN:
        more.setdefault("http", Call("/api/v2/spans"))
    return Tracer(name="t", kind=kind, hostname=SINK, port=1, cluster=SINK, **more)


def http2(cluster: cluster_pb2.Cluster) -> cluster_pb2.Cluster:
    options = HttpProtocolOptions()
    options.explicit_http_config.http2_protocol_options.SetInParent()
    cluster.typed_extension_protocol_options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"].Pack(options)
    return cluster


def _client(lab: Lab, app: int, sink: int, tracing: Tracing, direction: Direction = Direction.OUTBOUND) -> int:
    """The port of a client's Envoy in front of the app, which traces."""
    out = free_port()
    conduct = Conduct(client=Report(tracing=tracing))
    listener = outbound_listener(out, "outbound|80||app", mesh_config(), conduct=conduct, direction=direction)
    collector = stranger_cluster(sink, SINK)
    if tracing.tracer.kind is TracerKind.SKYWALKING:
        http2(collector)
    lab.client(stranger_cluster(app, "outbound|80||app"), listener, collector)
    return out


def _spans(sink: Sink, number: int = 1) -> list[dict[str, Any]]:
    return wait_for(lambda: list(sink.spans) if len(sink.spans) >= number else [], "spans")


@pytest.mark.row("TR-02", "TR-07", "TR-08")
def test_client_and_server_are_two_spans_of_one_trace(lab: Lab) -> None:
    with http_app() as app, collecting() as sink:
        tracing = Tracing(tracer(), 100)
        port = inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE)
        lab.server(port, conduct=Conduct(server=Report(tracing=tracing)), more=[stranger_cluster(sink.port, SINK)])
        out = free_port()
        upstream = stranger_cluster(app.port, "outbound|80||app")
        host = upstream.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address
        host.address = "127.0.0.2"
        client = Conduct(client=Report(tracing=tracing))
        lab.client(
            upstream,
            outbound_listener(out, upstream.name, mesh_config(), conduct=client),
            stranger_cluster(sink.port, SINK),
        )
        assert get(out, "/seen") == 200
        found = {span["kind"]: span for span in _spans(sink, 2)}
        caller, called = found["CLIENT"], found["SERVER"]
        assert (caller["trace"], caller["span"]) == (called["trace"], called["parent"])
        assert len(caller["trace"]) == 32
        assert called["name"] == "reviews.bar.svc.cluster.local:80/*"
        tags = called["tags"]
        assert tags["istio.canonical_service"] == "reviews"
        assert tags["istio.canonical_revision"] == "v2"
        assert tags["istio.namespace"] == "bar"
        assert tags["istio.cluster_id"] == "Kubernetes"
        assert tags["istio.mesh_id"] == "unknown"
        assert (tags["component"], tags["http.method"], tags["http.status_code"]) == ("proxy", "GET", "200")
        assert tags["http.url"].endswith("/seen")
        assert tags["upstream_cluster"] == f"inbound|{app.port}||"
        assert tags["response_flags"] == "-"
        assert {"node_id", "guid:x-request-id", "peer.address", "upstream_cluster.name"} <= tags.keys()


@pytest.mark.row("TR-08")
@pytest.mark.parametrize(
    ("direction", "kinds"), [(Direction.GATEWAY, ["CLIENT", "SERVER"]), (Direction.OUTBOUND, ["CLIENT"])]
)
def test_a_gateway_has_a_span_of_the_call_on_as_well(lab: Lab, direction: Direction, kinds: list[str]) -> None:
    with http_app() as app, collecting() as sink:
        out = _client(lab, app.port, sink.port, Tracing(tracer(), 100), direction)
        assert get(out) == 200
        assert sorted(span["kind"] for span in _spans(sink, len(kinds))) == kinds


@pytest.mark.row("TM-10", "TR-07", "TR-09")
def test_tags_of_every_sort_and_the_length_of_paths(lab: Lab) -> None:
    tags = {
        "said": CustomTag(literal=LiteralTag(value="this")),
        "asked": CustomTag(header=HeaderTag(name="x-asked", default_value="nobody")),
        "made": CustomTag(formatter=FormatterTag(value="%REQ(x-asked)% got %RESPONSE_CODE%")),
    }
    tracing = Tracing(tracer(), 100, tuple(sorted(tags.items())), path_length=8, istio_tags=False)
    with http_app() as app, collecting() as sink:
        out = _client(lab, app.port, sink.port, tracing)
        assert get(out, "/a-long-path", **{"x-asked": "someone"}) == 200
        (span,) = _spans(sink)
        found = span["tags"]
        assert (found["said"], found["asked"], found["made"]) == ("this", "someone", "someone got 200")
        assert found["http.url"].endswith("/a-long-")
        assert not [name for name in found if name.startswith("istio.")]


@pytest.mark.row("TM-08", "TR-06")
def test_the_share_of_traces(lab: Lab) -> None:
    calls = 120
    with http_app() as app, collecting() as sink:
        out = _client(lab, app.port, sink.port, Tracing(tracer(), 50))
        assert all(get(out) == 200 for _ in range(calls))
        sampled = [seen["x-b3-sampled"] for seen in app.seen]
        assert 30 < sampled.count("1") < 90
        assert set(sampled) == {"0", "1"}
        assert len(_spans(sink, sampled.count("1"))) == sampled.count("1")
        # What the caller decided is kept to.
        for wanted in ("0", "1"):
            headers = {"x-b3-traceid": TRACE, "x-b3-spanid": TRACE[:16], "x-b3-sampled": wanted}
            for _ in range(5):
                get(out, **headers)
            assert {seen["x-b3-sampled"] for seen in app.seen[-5:]} == {wanted}
            assert {seen["x-b3-traceid"] for seen in app.seen[-5:]} == {TRACE}


@pytest.mark.row("TM-09", "TR-01")
@pytest.mark.parametrize(
    ("chosen", "sent", "absent"),
    [
        (tracer(), {"x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"}, {"traceparent"}),
        (tracer(w3c=True), {"x-b3-traceid", "traceparent"}, {"x-datadog-trace-id"}),
        (tracer(TracerKind.OPENTELEMETRY, http=Call("/v1/traces")), {"x-request-id", "traceparent"}, {"x-b3-traceid"}),
        (tracer(TracerKind.DATADOG), {"x-datadog-trace-id", "x-datadog-parent-id"}, {"x-b3-traceid"}),
        (tracer(TracerKind.SKYWALKING), {"sw8"}, {"x-b3-traceid"}),
    ],
    ids=["b3", "b3-and-w3c", "w3c", "datadog", "skywalking"],
)
def test_headers_that_the_app_is_to_send_on(lab: Lab, chosen: Tracer, sent: set[str], absent: set[str]) -> None:
    with http_app() as app, collecting() as sink:
        out = _client(lab, app.port, sink.port, Tracing(chosen, 100))
        assert get(out) == 200
        seen = set(app.seen[0])
        assert sent <= seen
        assert not absent & seen


@pytest.mark.row("TM-11")
def test_spans_without_propagation(lab: Lab) -> None:
    with http_app() as app, collecting() as sink:
        out = _client(lab, app.port, sink.port, Tracing(tracer(), 100, propagation=False))
        assert get(out) == 200
        assert not [name for name in app.seen[0] if name.startswith("x-b3")]
        assert len(_spans(sink)) == 1


@pytest.mark.row("TM-11")
@pytest.mark.parametrize(("by_request_id", "expected"), [(True, ["1", "0"]), (False, ["1", "1"])])
def test_the_request_id_decides_unless_told_not_to(lab: Lab, by_request_id: bool, expected: list[str]) -> None:
    """An id whose version says "traced" is such for every proxy that goes by it. Envoys that do not go by ids leave all to
    the tracer, and Zipkin's takes everything; the share is 0 here."""
    traced = "0f8fad5b-d9cb-a69f-a165-70867728950e"
    with http_app() as app, collecting() as sink:
        out = _client(lab, app.port, sink.port, replace(Tracing(tracer(), 0), by_request_id=by_request_id))
        assert get(out, **{"x-request-id": traced}) == get(out) == 200
        assert [seen["x-b3-sampled"] for seen in app.seen] == expected


@pytest.mark.row("TR-05", "MC-11")
def test_skywalking_gets_segments_with_a_span_of_the_call_on(lab: Lab) -> None:
    segments: list[bytes] = []

    def collect(messages: Iterator[bytes], _: object) -> bytes:
        segments.extend(messages)
        return b""

    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.stream_unary_rpc_method_handler(collect)
    service = "skywalking.v3.TraceSegmentReportService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"collect": handler}),))
    sink = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with http_app() as app:
            out = _client(lab, app.port, sink, Tracing(tracer(TracerKind.SKYWALKING), 100))
            assert get(out, "/walked") == 200
            (segment,) = wait_for(lambda: segments, "a segment")
            assert b"/walked" in segment
            assert segment.count(b"outbound|80||app") >= 1
    finally:
        server.stop(None).wait()
