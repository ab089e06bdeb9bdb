"""Every kind of probe of a WorkloadGroup, over real sockets and processes."""

from __future__ import annotations

import asyncio
import socket
import tracemalloc
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest

from mizzen.agent.app_probe import AppProbe
from mizzen.agent.http import Request, Response
from tests.fakes.controlplane import until
from tests.unit.agent.serving import served


async def look(address: str = "127.0.0.1", **probe: Any) -> str:
    return await AppProbe(probe, address).why_not()


@pytest.mark.row("WE-06", "VM-04")
async def test_http_with_defaults_and_with_all_fields() -> None:
    seen: list[Request] = []

    async def app(request: Request) -> Response:
        seen.append(request)
        return Response({"/": 200, "/moved": 302, "/bad": 500, "/gone": 404}[request.path])

    async with served(app) as port:
        assert await look(httpGet={"port": port}) == ""
        headers = [{"name": "host", "value": "web.test"}, {"name": "x-a", "value": "1"}]
        assert await look(httpGet={"port": port, "path": "moved", "httpHeaders": headers}) == ""
        assert await look(httpGet={"port": port, "path": "/bad"}) == "status 500 of /bad"
        assert await look(httpGet={"port": port, "path": "/gone", "host": "127.0.0.1"}) == "status 404 of /gone"
    assert "Error" in await look(httpGet={"port": port})
    # From an address that capture leaves alone, or STRICT would refuse the agent's plain question.
    assert {request.peer for request in seen} == {"127.0.0.6"}
    assert seen[0].headers["host"] == f"127.0.0.1:{port}"
    assert (seen[1].headers["host"], seen[1].headers["x-a"]) == ("web.test", "1")


@pytest.mark.row("WE-06", "VM-04")
async def test_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert await look(tcpSocket={"port": port}) == ""
        assert await look("192.0.2.1", tcpSocket={"port": port, "host": "localhost"}) == ""
    assert "refused" in await look(tcpSocket={"port": port}) or "ConnectionRefusedError" in await look(
        tcpSocket={"port": port}
    )


@pytest.mark.row("WE-06", "VM-04")
async def test_commands_and_what_they_start_end_with_the_probe(tmp_path: Path) -> None:
    assert await look(exec={"command": ["true"]}) == ""
    said = await look(exec={"command": ["sh", "-c", "echo no disk >&2; exit 3"]})
    assert said == "sh: exit code 3: no disk"
    assert "FileNotFoundError" in await look(exec={"command": ["/no/such/program"]})
    assert "no command" in await look(exec={})
    mark = tmp_path / "pid"
    slow = ["sh", "-c", f"sleep 60 & echo $! > {mark}; wait"]
    assert await look(exec={"command": slow}, timeoutSeconds=3) == "no answer within 3s"
    pid = mark.read_text().strip()
    await until(lambda: _dead(pid))
    left = ["sh", "-c", f"sleep 60 2>/dev/null & echo $! > {mark}"]
    assert await look(exec={"command": left}, timeoutSeconds=3) == ""
    pid = mark.read_text().strip()
    await until(lambda: _dead(pid))


@pytest.mark.row("WE-06")
async def test_of_a_command_that_says_much_only_the_end_is_kept() -> None:
    much = ["sh", "-c", "yes | head -c 20000000 >&2; echo no disk >&2; exit 3"]
    tracemalloc.start()
    try:
        said = await look(exec={"command": much}, timeoutSeconds=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert said.endswith("y\ny\nno disk")
    assert len(said) < 400
    assert peak < 5_000_000


def _dead(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.row("WE-06", "VM-04")
async def test_grpc_and_probes_of_no_kind() -> None:
    async def no_grpc(request: Request) -> Response:
        return Response(200)

    async with served(no_grpc) as port:
        assert await look(grpc={"port": port, "service": "a"}) != ""
    method = grpc.unary_unary_rpc_method_handler(
        lambda request, _: b"\x08\x01" if request == b"\x0a\x01a" else b"\x08\x02"
    )
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert await look(grpc={"port": port, "service": "a"}, timeoutSeconds=5) == ""
        assert await look(grpc={"port": port}, timeoutSeconds=5) == "the server is not serving"
    finally:
        server.stop(None)
    assert "KeyError" in await look()
    assert "KeyError" in await look(httpGet={})


async def test_an_application_that_hangs() -> None:
    async def app(request: Request) -> Response:
        await asyncio.sleep(30)
        return Response()

    async with served(app) as port:
        assert await look(httpGet={"port": port}, timeoutSeconds=0.2) == "no answer within 0.2s"
