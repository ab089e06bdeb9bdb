"""Probes: Kubernetes' defaults, and what counts as success."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mizzen.lab import probes


async def never(_words: list[str]) -> int:
    raise AssertionError("no command is to be run")


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[int]:
    """A server that answers each request with this status line; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_defaults_are_kubernetes() -> None:
    assert probes.timing({}) == probes.Timing(delay=0, period=10, timeout=1, failures=3, successes=1)
    assert probes.timing({"initialDelaySeconds": 2, "failureThreshold": 9}).failures == 9


@pytest.mark.parametrize(("value", "number"), [(80, 80), ("81", 81), ("http", 8080), ("other", 0), (None, 0)])
def test_ports_by_number_and_by_name(value: object, number: int) -> None:
    assert probes.port_number(value, {"ports": [{"name": "http", "containerPort": 8080}]}) == number


@pytest.mark.parametrize(("status", "problem"), [("200 OK", ""), ("302 Found", ""), ("404 No", "HTTP status 404")])
async def test_http_statuses(status: str, problem: str) -> None:
    async with answering(status) as port:
        assert await probes.check({"httpGet": {"path": "/x", "port": port}}, {}, "127.0.0.1", never) == problem


async def test_a_tcp_probe_needs_a_listener() -> None:
    async with answering("200 OK") as port:
        assert await probes.check({"tcpSocket": {"port": port}}, {}, "127.0.0.1", never) == ""
    assert await probes.check({"tcpSocket": {"port": port}}, {}, "127.0.0.1", never) != ""


async def test_an_exec_probe_goes_by_the_exit_code() -> None:
    async def run(words: list[str]) -> int:
        return int(words[0])

    assert await probes.check({"exec": {"command": ["0"]}}, {}, "127.0.0.1", run) == ""
    assert await probes.check({"exec": {"command": [3]}}, {}, "127.0.0.1", run) == "exit code 3"


async def test_a_probe_that_takes_too_long_says_so() -> None:
    async def hang(_words: list[str]) -> int:
        await asyncio.Event().wait()
        return 0

    assert await probes.check({"exec": {"command": ["x"]}, "timeoutSeconds": 0.01}, {}, "", hang) == "timed out"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_grpc_probe_asks_the_health_service() -> None:
    from grpclib.health.service import Health
    from grpclib.server import Server

    server = Server([Health()])
    await server.start("127.0.0.1", 0)
    port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        assert await probes.check({"grpc": {"port": port}}, {}, "127.0.0.1", never) == ""
        problem = await probes.check({"grpc": {"port": port, "service": "none"}}, {}, "127.0.0.1", never)
        assert problem == "gRPC status NOT_FOUND"
    finally:
        server.close()
        await server.wait_closed()
