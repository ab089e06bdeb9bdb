"""Envoy's admin port inside a pod: one request over a socket that was made in the pod's network namespace."""

from __future__ import annotations

import asyncio
import socket

from mizzen.errors import LabError
from mizzen.lab import commands

_PORT = 15000
_SECONDS = 30.0


async def ask(namespace: str, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
    """Status, content type and body of the answer. Raises LabError when Envoy does not answer."""

    def connect() -> socket.socket:
        return socket.create_connection(("127.0.0.1", _PORT), timeout=2)

    try:
        async with asyncio.timeout(_SECONDS):
            sock = await asyncio.to_thread(commands.within, namespace, connect)
            sock.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=sock)
            try:
                head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                answer = await reader.read(-1)
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise LabError(f"the pod's Envoy does not answer: {error}", "see `mizzen logs POD -c istio-proxy`") from None
    return _parse(answer)


def _parse(answer: bytes) -> tuple[int, str, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split()
    if len(words) < 2 or not words[1].isdigit():
        raise LabError("the pod's Envoy gave no HTTP answer")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding") == "chunked":
        body = _dechunk(body)
    return int(words[1]), headers.get("content-type", "text/plain"), body


def _dechunk(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if not length:
            break
        whole += rest[:length]
        body = rest[length + 2 :]
    return whole
