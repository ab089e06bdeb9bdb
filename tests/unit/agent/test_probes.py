"""Row AG-09: the app's probes, over real sockets on loopback."""

import socket

import pytest

from mizzen.agent.http import Response
from tests.unit.agent.serving import get, probes, served


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
