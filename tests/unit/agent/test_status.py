"""Rows PO-06, AG-05, AG-08, AG-09, AG-10: what 15020 answers, over real sockets on loopback."""

import asyncio
import contextlib
import socket
import threading
from concurrent import futures

import grpc
import pytest

from mizzen.agent.debug import Debug
from mizzen.agent.http import Request, Response, connection, fetch
from mizzen.agent.metrics import Metrics, renamed
from mizzen.agent.probes import Probes
from mizzen.agent.ready import Readiness, parse
from mizzen.agent.settings import Settings
from mizzen.agent.status import Status


@contextlib.asynccontextmanager
async def served(handler):
    server = await asyncio.start_server(lambda r, w: connection(handler, r, w), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def get(path, peer="127.0.0.1", method="GET", **headers):
    return Request(method, path, "", headers, b"", peer)


def probes(**probers):
    return Probes(
        Settings(instance_ip="127.0.0.1", app_probers={f"/app-health/web/{n}": v for n, v in probers.items()})
    )


@pytest.mark.row("AG-09")
async def test_http_probes_pass_status_headers_and_come_from_127_0_0_6():
    seen = []

    async def app(request):
        seen.append(request)
        return Response(418, b"x" * 20_000)

    async with served(app) as port:
        found = probes(livez={"httpGet": {"path": "/alive?a=b", "port": port}, "timeoutSeconds": 3})
        answer = await found.relay(get("/app-health/web/livez", host="10.0.0.1:15020", extra="1", connection="close"))
    assert (answer.status, len(answer.body)) == (418, 10 * 1024)
    assert (seen[0].path, seen[0].query, seen[0].peer) == ("/alive", "a=b", "127.0.0.6")
    assert (seen[0].headers["host"], seen[0].headers["extra"]) == (f"10.0.0.1:{port}", "1")


@pytest.mark.row("AG-09")
async def test_redirects_are_followed_on_the_same_host_and_good_elsewhere():
    async def app(request):
        if request.path == "/here":
            return Response(302, headers={"location": "/there"})
        if request.path == "/loop":
            return Response(302, headers={"location": "/loop"})
        if request.path == "/away":
            return Response(302, headers={"location": "http://other.example/"})
        return Response(204 if request.path == "/there" else 404)

    async with served(app) as port:
        found = probes(**{name: {"httpGet": {"path": f"/{name}", "port": port}} for name in ("here", "loop", "away")})
        statuses = [(await found.relay(get(f"/app-health/web/{name}"))).status for name in ("here", "loop", "away")]
    assert statuses == [204, 500, 200]


@pytest.mark.row("AG-09")
async def test_tcp_probes_and_unknown_paths():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = probes(readyz={"tcpSocket": {"port": port}})
        assert (await found.relay(get("/app-health/web/readyz"))).status == 200
    assert (await found.relay(get("/app-health/web/readyz"))).status == 500
    assert (await found.relay(get("/app-health/web/other"))).status == 400


@pytest.mark.row("AG-09")
@pytest.mark.parametrize(("answer", "status"), [(b"\x08\x01", 200), (b"\x08\x02", 500), (None, 500)])
async def test_grpc_probes_against_a_real_grpc_server(answer, status):
    asked = []

    def check(request, context):
        asked.append(request)
        if answer is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return answer

    method = grpc.unary_unary_rpc_method_handler(check)
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        found = probes(readyz={"grpc": {"port": port, "service": "shop"}, "timeoutSeconds": 5})
        assert (await found.relay(get("/app-health/web/readyz"))).status == status
    finally:
        server.stop(None).wait()
    assert asked == [b"\x0a\x04shop"]


def test_readiness_needs_both_updates_and_a_live_envoy_and_then_stays():
    ready = Readiness(1)
    stats = parse(
        "cluster_manager.cds.update_success: 1\nlistener_manager.lds.update_success: 0\nserver.state: 0\nx: Histogram"
    )
    assert "lds updates 0" in ready.judge(stats)
    assert "refused: cluster_manager.cds" in ready.judge({"cluster_manager.cds.update_rejected": 1})
    stats |= {"listener_manager.lds.update_success": 2}
    assert "not live" in ready.judge(stats)
    assert ready.judge(stats | {"listener_manager.workers_started": 1}) == ""
    assert ready.judge({"server.state": 2}) == ""


@pytest.mark.row("AG-05")
async def test_an_ending_agent_is_not_ready():
    ready = Readiness(1)
    ready.stopping = True
    assert "shutting down" in await ready.why_not()


@pytest.mark.row("ME-13")
def test_only_whole_names_are_renamed():
    text = b'# TYPE envoy_istio_requests_total counter\nenvoy_istio_requests_total{a="envoy_istio_x"} 1\nenvoy_server_live 1\n'
    expected = b'# TYPE istio_requests_total counter\nistio_requests_total{a="envoy_istio_x"} 1\nenvoy_server_live 1\n'
    assert renamed(text) == expected


@pytest.mark.row("AG-08", "ME-17")
async def test_the_apps_metrics_join_and_a_dead_part_is_left_out():
    async def app(request):
        kind = "application/openmetrics-text; version=1.0.0"
        return Response(200, b"app_hits 3\n# EOF\n", {"content-type": kind})

    async def envoy(request):
        return (
            Response(200, b"envoy_istio_requests_total 1\n") if request.path == "/stats/prometheus" else Response(404)
        )

    async with served(app) as app_port, served(envoy) as admin:
        config = {"proxyAdminPort": admin}
        found = Metrics(
            Settings(proxy_config=config, prometheus={"scrape": "true", "port": str(app_port)}), lambda: 0.0
        )
        whole = await found.merged(get("/metrics"))
        alone = await found.envoy(get("/stats/envoy"))
    assert whole.headers["content-type"].startswith("application/openmetrics-text")
    assert whole.body.count(b"# EOF") == 1
    assert whole.body.endswith(b"app_hits 3\n# EOF\n")
    assert b"\nistio_requests_total 1\n" in whole.body
    assert b"app_hits" not in alone.body
    dead = await found.merged(get("/metrics"))
    assert dead.status == 200
    assert b'istio_agent_scrape_failures_total{type="application"} 1' in dead.body
    assert b'istio_agent_scrape_failures_total{type="envoy"} 1' in dead.body


async def test_metrics_for_localhost_only():
    found = Metrics(Settings(metrics_localhost_only=True), lambda: 0.0)
    assert (await found.merged(get("/metrics", peer="10.0.0.1"))).status == 403


@pytest.mark.row("PO-06", "AG-10")
@pytest.mark.parametrize(
    ("path", "method", "peer", "status", "done"),
    [
        ("/quitquitquit", "POST", "127.0.0.1", 200, ["quit"]),
        ("/quitquitquit", "GET", "127.0.0.1", 405, []),
        ("/quitquitquit", "POST", "10.0.0.1", 403, []),
        ("/drain", "POST", "::1", 200, ["drain"]),
        ("/drain", "POST", "10.0.0.1", 403, []),
        ("/nothing", "GET", "127.0.0.1", 404, []),
    ],
)
async def test_commands_are_for_localhost(path, method, peer, status, done):
    happened = []

    async def drain():
        happened.append("drain")

    settings = Settings()
    metrics = Metrics(settings, lambda: 0.0)
    found = Status(Readiness(1), metrics, Probes(settings), Debug(None), lambda: happened.append("quit"), drain)
    assert (await found.handle(get(path, peer, method))).status == status
    assert happened == done


@pytest.mark.row("PO-06")
async def test_what_lies_below_debug_is_passed_on():
    settings = Settings()

    async def drain(): ...

    found = Status(Readiness(1), Metrics(settings, lambda: 0.0), Probes(settings), Debug(None), lambda: None, drain)
    answer = await found.handle(get("/debug/ndsz", "127.0.0.1", "GET"))
    assert (answer.status, b'"table"' in answer.body) == (200, True)
    assert (await found.handle(get("/debug/ndsz", "10.0.0.1", "GET"))).status == 403


async def test_the_client_reads_chunks_and_bodies_that_end_with_the_connection():
    answers = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nabcde",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            for answer in answers:
                peer, _ = server.accept()
                peer.recv(1000)
                peer.sendall(answer)
                peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        for _ in answers:
            assert (await fetch("127.0.0.1", server.getsockname()[1], "/")).body == b"abcde"
        thread.join()


async def test_lines_of_other_parts_stand_in_the_agents_own_metrics():
    metrics = Metrics(Settings(), lambda: 0.0, lambda: "istio_agent_dns_requests_total 3\n")
    assert "istio_agent_dns_requests_total 3\n" in metrics._own().decode()
