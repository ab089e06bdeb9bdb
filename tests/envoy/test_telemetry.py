"""The istio_* metrics and access logs that a real Envoy writes, on both sides of one call."""

from __future__ import annotations

import json
import re
import socket

import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode
from mizzen.translate import access_log, alpn
from tests.envoy.loopback import Envoy, echo_app, free_port, http_app, wait_for
from tests.envoy.mesh import (
    CLIENT_ID,
    REVIEWS,
    SERVER_ID,
    Lab,
    get,
    inbound_port,
    mesh_cluster,
    mesh_config,
    outbound_listener,
    request,
    stranger_cluster,
    tcp_listener,
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


@pytest.mark.row("ME-01", "ME-02", "ME-03", "ME-06", "ME-07", "ME-08", "ME-12")
def test_both_sides_of_a_meshed_call(lab: Lab) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT))
        lab.use_client_certificates()
        out = free_port()
        client = lab.client(
            mesh_cluster(app.port), outbound_listener(out, "outbound|80||reviews.bar.svc.cluster.local", mesh_config())
        )
        assert get(out, **{"x-envoy-peer-metadata-workload": "liar"}) == 200

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


MESH_CLUSTER = "outbound|80||reviews.bar.svc.cluster.local"


@pytest.mark.row("ME-05")
def test_tcp_counts_connections_and_bytes_once(lab: Lab) -> None:
    with echo_app() as port:
        server = lab.server(inbound_port(port, Protocol.TCP, MtlsMode.STRICT))
        lab.use_client_certificates()
        out = free_port()
        client = lab.client(mesh_cluster(port, alpn.TCP), tcp_listener(out, MESH_CLUSTER, mesh_config()))
        with socket.create_connection(("127.0.0.1", out), timeout=5) as connection:
            connection.sendall(b"x" * 100)
            assert connection.recv(100, socket.MSG_WAITALL) == b"x" * 100
            for side in (client, server):
                assert [
                    v for _, v in wait_for(lambda side=side: side.metrics("envoy_istio_tcp_connections_opened_total"))
                ] == [1]
                assert side.metrics("envoy_istio_tcp_connections_closed_total") == []
        for side, reporter, security in ((client, "source", "unknown"), (server, "destination", "mutual_tls")):
            ((labels, closed),) = wait_for(lambda side=side: side.metrics("envoy_istio_tcp_connections_closed_total"))
            assert closed == 1
            assert len(labels) == 23
            assert (labels["reporter"], labels["connection_security_policy"]) == (reporter, security)
            assert (labels["request_protocol"], labels["source_principal"]) == ("tcp", CLIENT_ID)
            assert (labels["destination_service"], labels["destination_workload"]) == (REVIEWS.hostname, "reviews-v2")
            for name in ("opened_total", "closed_total"):
                assert [v for _, v in side.metrics(f"envoy_istio_tcp_connections_{name}")] == [1]
            for name in ("sent", "received"):
                assert [v for _, v in side.metrics(f"envoy_istio_tcp_{name}_bytes_total")] == [100]


@pytest.mark.row("ME-09")
def test_a_caller_without_sidecar_is_unknown(lab: Lab) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE))
        lab.call(app.port, request(x_envoy_peer_metadata_workload="liar"))
        ((labels, _),) = wait_for(lambda: server.metrics("envoy_istio_requests_total"))
        unknown = {name for name, value in labels.items() if value == "unknown"}
        assert unknown == {
            "source_workload",
            "source_canonical_service",
            "source_workload_namespace",
            "source_principal",
            "source_app",
            "source_version",
            "source_cluster",
            "destination_principal",
        }
        assert labels["source_canonical_revision"] == "latest"
        assert labels["connection_security_policy"] == "none"
        assert "x-envoy-peer-metadata-workload" not in app.seen[0]


@pytest.mark.row("ME-10")
@pytest.mark.parametrize(
    ("route", "cluster", "service", "name"),
    [
        ("allow_any", "PassthroughCluster", "example.com", "PassthroughCluster"),
        ("default", "outbound|80||ext", "example.com", "example.com"),
        ("block_all", "", "example.com", "BlackHoleCluster"),
    ],
)
def test_special_destinations(lab: Lab, route: str, cluster: str, service: str, name: str) -> None:
    with http_app() as app:
        out = free_port()
        client = lab.client(
            stranger_cluster(app.port, cluster or "c"), outbound_listener(out, cluster, mesh_config(), route)
        )
        assert get(out, host="example.com") == (200 if cluster else 502)
        ((labels, _),) = wait_for(lambda: client.metrics("envoy_istio_requests_total"))
        assert (labels["destination_service"], labels["destination_service_name"]) == (service, name)
        assert (labels["destination_workload"], labels["destination_canonical_revision"]) == ("unknown", "latest")
        assert labels["destination_service_namespace"] == "unknown"


def test_an_external_service_is_named_but_told_nothing(lab: Lab) -> None:
    services = [{"host": "api.example.com", "name": "api.example.com", "namespace": "foo"}]
    with http_app() as app:
        out = free_port()
        cluster = stranger_cluster(app.port, "outbound|80||api.example.com", services=services, external=True)
        client = lab.client(cluster, outbound_listener(out, "outbound|80||api.example.com", mesh_config()))
        assert get(out) == 200
        ((labels, _),) = wait_for(lambda: client.metrics("envoy_istio_requests_total"))
        assert labels["destination_service"] == "api.example.com"
        assert labels["destination_service_namespace"] == "foo"
        assert not [header for header in app.seen[0] if header.startswith("x-envoy-peer")]


@pytest.mark.row("ME-11")
def test_a_failed_connection_is_one_series_with_its_flag(lab: Lab) -> None:
    out = free_port()
    lab.use_client_certificates()
    client = lab.client(mesh_cluster(free_port("127.0.0.2")), outbound_listener(out, MESH_CLUSTER, mesh_config()))
    assert get(out) == 503
    ((labels, value),) = wait_for(lambda: client.metrics("envoy_istio_requests_total"))
    assert (value, labels["response_code"], labels["response_flags"]) == (1, "503", "UF")
    assert labels["destination_workload"] == "reviews-v2", "known although the connect failed"


@pytest.mark.row("ME-11")
def test_a_caller_that_leaves_is_a_request_without_an_answer(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        out = free_port()
        cluster = stranger_cluster(silent.getsockname()[1], "outbound|80||app")
        client = lab.client(cluster, outbound_listener(out, cluster.name, mesh_config()))
        with socket.create_connection(("127.0.0.1", out), timeout=5) as caller:
            caller.sendall(request())
            called, _ = silent.accept()
            with called:
                assert called.recv(1), "the request has arrived"
                caller.close()
                assert wait_for(lambda: client.metrics("envoy_istio_requests_total"))
        ((labels, _),) = client.metrics("envoy_istio_requests_total")
        assert (labels["response_code"], labels["response_flags"]) == ("0", "DC")


@pytest.mark.row("OL-22", "PR-03")
@pytest.mark.parametrize("mode", [MtlsMode.PERMISSIVE, MtlsMode.STRICT])
def test_http_to_an_undeclared_port_reaches_the_http_chain(lab: Lab, mode: MtlsMode) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.UNSUPPORTED, mode))
        lab.use_client_certificates()
        out = free_port()
        cluster = mesh_cluster(app.port, alpn.TCP)
        cluster.metadata.filter_metadata["istio"]["alpn"] = "downstream"
        lab.client(cluster, outbound_listener(out, MESH_CLUSTER, mesh_config()))
        assert get(out) == 200
        ((labels, _),) = wait_for(lambda: server.metrics("envoy_istio_requests_total"))
        assert (labels["request_protocol"], labels["source_workload"]) == ("http", "curl")


@pytest.mark.row("OL-22")
def test_a_rules_own_tls_keeps_its_alpn(lab: Lab) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.UNSUPPORTED, MtlsMode.STRICT))
        lab.use_client_certificates()
        out = free_port()
        cluster = mesh_cluster(app.port, ["http/1.1"])
        cluster.metadata.filter_metadata["istio"].update({"alpn": "downstream", "alpn_override": "false"})
        client = lab.client(cluster, outbound_listener(out, MESH_CLUSTER, mesh_config()))
        assert get(out) == 200
        wait_for(lambda: client.metrics("envoy_istio_requests_total"))
        assert wait_for(lambda: server.metrics("envoy_istio_tcp_connections_opened_total")), "taken for bytes"


LINE = re.compile(
    r"\[\S+Z\] \"GET / HTTP/1.1\" 200 - via_upstream - \"-\" 0 5 \d+ \d+ \"-\" \"-\" \"[0-9a-f-]{36}\" \"reviews\""
    r" \"127.0.0.1:\d+\" inbound\|\d+\|\| 127.0.0.1:\d+ 127.0.0.2:\d+ 127.0.0.1:\d+ - default"
)


@pytest.mark.row("LG-01", "LG-02")
def test_the_default_line(lab: Lab) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE))
        lab.call(app.port, request())
        (line,) = wait_for(server.access_lines)
        assert LINE.fullmatch(line), line


@pytest.mark.row("LG-03")
def test_json_lines(lab: Lab) -> None:
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE), encoding="JSON")
        lab.call(app.port, request())
        (line,) = wait_for(server.access_lines)
        entry = json.loads(line)
        assert list(entry) == sorted(access_log.JSON)
        assert (entry["response_code"], entry["bytes_sent"], entry["user_agent"]) == (200, 5, None)


@pytest.mark.row("ME-05", "LG-01")
def test_a_tcp_connection_is_one_line(lab: Lab) -> None:
    with echo_app() as port:
        server = lab.server(inbound_port(port, Protocol.TCP, MtlsMode.PERMISSIVE))
        lab.call(port, b"hello")
        (line,) = wait_for(server.access_lines)
        assert " 5 5 " in line
