"""The small HTTP server and client of the agent."""

import asyncio
import contextlib
import socket
import threading

import pytest

from mizzen.agent.http import BadMessage, Response, fetch
from tests.unit.agent.serving import get, served


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


async def test_a_connection_is_kept_and_closed_as_the_client_asks():
    async def echo(request):
        return Response(200, request.body + request.path.encode())

    async with served(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /a?q HTTP/1.1\r\ncontent-length: 2\r\n\r\nxy" + b"GET /b HTTP/1.1\r\nConnection: close\r\n\r\n"
        )
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert (b"xy/a" in answer, answer.endswith(b"/b")) == (True, True)
    assert answer.index(b"keep-alive") < answer.index(b"connection: close")


@pytest.mark.parametrize(
    "sent",
    [
        b"rubbish\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\na: " + b"b" * 100_000 + b"\r\n\r\n",
    ],
    ids=["no request", "no header", "a line too long"],
)
async def test_what_is_no_http_ends_its_connection_and_no_other(sent):
    async def fine(_request):
        return Response(200, b"fine")

    async with served(fine) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert (await fetch("127.0.0.1", port, "/")).body == b"fine"


async def test_an_answer_beyond_the_limit_is_refused_or_cut():
    async def long(_request):
        return Response(200, b"x" * 1000)

    async with served(long) as port:
        with pytest.raises(BadMessage):
            await fetch("127.0.0.1", port, "/", limit=10)
        assert (await fetch("127.0.0.1", port, "/", limit=10, whole=False)).body == b"x" * 10


@pytest.mark.parametrize(
    ("peer", "local"), [("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False)]
)
def test_who_is_on_this_machine(peer, local):
    assert get("/", peer).from_localhost is local
