"""Messages of real gRPC calls, counted on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode
from mizzen.translate import alpn
from tests.envoy.loopback import free_port, wait_for
from tests.envoy.mesh import REVIEWS, Lab, inbound_port, mesh_cluster, mesh_config, outbound_listener
from tests.envoy.test_spans import http2

pytestmark = pytest.mark.envoy

CLUSTER = f"outbound|80||{REVIEWS.hostname}"


def _answers(requests: Iterator[bytes], _: object) -> Iterator[bytes]:
    for request in requests:
        yield request
        if request == b"twice":
            yield request


@pytest.mark.row("ME-04")
def test_a_stream_of_ten_messages_adds_ten(lab: Lab) -> None:
    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.stream_stream_rpc_method_handler(_answers)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {"All": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        served = lab.server(inbound_port(port, Protocol.GRPC, MtlsMode.STRICT))
        lab.use_client_certificates()
        out = free_port()
        client = lab.client(
            http2(mesh_cluster(port, alpn.HTTP2)), outbound_listener(out, CLUSTER, mesh_config(), grpc=True)
        )
        with grpc.insecure_channel(f"127.0.0.1:{out}") as channel:
            call = channel.stream_stream("/test.Echo/All")
            assert len(list(call(iter([b"once"] * 9 + [b"twice"])))) == 11
        for side, reporter in ((client, "source"), (served, "destination")):
            for name, expected in (("request", 10), ("response", 11)):
                metric = f"envoy_istio_{name}_messages_total"
                ((labels, value),) = wait_for(lambda side=side, metric=metric: side.metrics(metric))
                assert value == expected
                assert (labels["reporter"], labels["source_workload"]) == (reporter, "curl")
                assert labels["destination_workload"] == "reviews-v2"
                assert len(labels) == 20
            ((labels, _),) = side.metrics("envoy_istio_requests_total")
            assert (labels["request_protocol"], labels["grpc_response_status"]) == ("grpc", "0")
            assert "error" not in side.log.read_text().lower().replace("error_", "")
    finally:
        server.stop(None).wait()
