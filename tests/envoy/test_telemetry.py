"""The istio_* metrics and access logs that a real Envoy writes, on both sides of one call."""

from __future__ import annotations

import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode
from tests.envoy.loopback import Envoy, free_port, http_app, wait_for
from tests.envoy.mesh import (
    CLIENT_ID,
    SERVER_ID,
    Lab,
    inbound_port,
    mesh_cluster,
    mesh_config,
    outbound_listener,
)

pytestmark = pytest.mark.envoy

SERVER_LABELS = {
    "reporter": "destination",
    "destination_workload": "reviews-v2",
    "destination_workload_namespace": "bar",
    "destination_app": "reviews",
    "destination_version": "v2",
    "destination_service": "reviews.bar.svc.cluster.local",
    "destination_canonical_service": "reviews",
    "destination_canonical_revision": "v2",
    "destination_service_name": "reviews",
    "destination_service_namespace": "bar",
    "destination_cluster": "Kubernetes",
    "request_protocol": "http",
    "response_code": "200",
    "grpc_response_status": "",
    "response_flags": "-",
}


def _merged(running: Envoy, name: str) -> list[tuple[dict[str, str], float]]:
    """The series of a histogram, which Envoy merges at its flush interval only."""
    return wait_for(lambda: [series for series in running.metrics(name) if series[1]], name)


@pytest.mark.row("ME-01", "ME-02", "ME-03", "ME-06", "ME-07", "ME-08")
def test_both_sides_of_a_meshed_call(lab: Lab) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT))
        lab.use_client_certificates()
        out = free_port()
        client = lab.client(
            mesh_cluster(app.port), outbound_listener(out, "outbound|80||reviews.bar.svc.cluster.local", mesh_config())
        )
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", out, timeout=5)
        connection.request("GET", "/", headers={"x-envoy-peer-metadata-workload": "liar"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        connection.close()

        ((labels, value),) = wait_for(lambda: server.metrics("envoy_istio_requests_total"))
        assert value == 1
        assert labels == SERVER_LABELS | {
            "source_workload": "curl",
            "source_canonical_service": "curl",
            "source_canonical_revision": "latest",
            "source_workload_namespace": "foo",
            "source_principal": CLIENT_ID,
            "source_app": "unknown",
            "source_version": "unknown",
            "source_cluster": "Kubernetes",
            "destination_principal": SERVER_ID,
            "connection_security_policy": "mutual_tls",
        }
        ((labels, value),) = wait_for(lambda: client.metrics("envoy_istio_requests_total"))
        assert value == 1
        assert labels == SERVER_LABELS | {
            "reporter": "source",
            "source_workload": "curl",
            "source_canonical_service": "curl",
            "source_canonical_revision": "latest",
            "source_workload_namespace": "foo",
            "source_principal": CLIENT_ID,
            "source_app": "",
            "source_version": "",
            "source_cluster": "Kubernetes",
            "destination_principal": SERVER_ID,
            "connection_security_policy": "unknown",
        }
        for name in ("request_duration_milliseconds", "request_bytes", "response_bytes"):
            assert [count for _, count in _merged(server, f"envoy_istio_{name}_count")] == [1]
        assert server.metrics("envoy_istio_response_bytes_sum")[0][1] > len(b"hello"), "headers and framing count too"
        assert not [name for name in app.seen[0] if name.startswith("x-envoy-peer-metadata")]
