"""The gateway's ports on this machine's loopback."""

import asyncio

import pytest

from mizzen.lab.forward import Forwarder


async def call(port: int, data: bytes) -> bytes:
    """What comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"echo " + await reader.read())
    await writer.drain()
    writer.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_busy_port_is_passed_over_and_bytes_go_both_ways() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    backend = server.sockets[0].getsockname()[1]
    async with server, asyncio.TaskGroup() as tasks:
        forwarder = Forwarder(lambda _port: ("127.0.0.1", backend), tasks)
        await forwarder.open({80: backend})
        assert forwarder.ports["80"] > backend, "the backend itself holds the port that was asked for"
        assert await call(forwarder.ports["80"], b"hello") == b"echo hello"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_without_a_backend_the_connection_is_closed() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    taken = server.sockets[0].getsockname()[1]
    async with server, asyncio.TaskGroup() as tasks:
        forwarder = Forwarder(lambda _port: None, tasks)
        await forwarder.open({443: taken})
        assert await call(forwarder.ports["443"], b"") == b""
