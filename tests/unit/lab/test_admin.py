from __future__ import annotations

import asyncio
import os

import pytest

from mizzen.errors import LabError
from mizzen.lab import admin

OWN = "/proc/self/ns/net"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="joining a network namespace needs root")


async def answered(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> tuple[tuple[int, str, bytes], bytes]:
    """What :func:`admin.ask` makes of ``answer``, and what it sent."""
    sent = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    monkeypatch.setattr(admin, "_PORT", server.sockets[0].getsockname()[1])
    try:
        return await admin.ask(OWN, "POST", "/logging?level=debug", b""), bytes(sent)
    finally:
        server.close()
        await server.wait_closed()


async def test_status_type_and_body(monkeypatch: pytest.MonkeyPatch) -> None:
    found, sent = await answered(monkeypatch, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}")
    assert found == (200, "application/json", b"{}")
    assert sent.startswith(b"POST /logging?level=debug HTTP/1.1\r\n")


async def test_a_body_in_pieces_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    found, _ = await answered(monkeypatch, whole)
    assert found == (404, "text/plain", b"abcde")


async def test_what_is_no_answer_is_an_error_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError, match="no HTTP answer"):
        await answered(monkeypatch, b"rubbish")
    monkeypatch.setattr(admin, "_PORT", 1)
    with pytest.raises(LabError, match="does not answer") as error:
        await admin.ask(OWN, "GET", "/", b"")
    assert "mizzen logs POD -c istio-proxy" in error.value.hint
