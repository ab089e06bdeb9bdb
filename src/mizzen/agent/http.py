"""As much HTTP/1.1 as an agent needs: a server for small answers and a client for loopback and the pod's own address."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

MAX_HEAD, MAX_BODY = 64 * 1024, 1024 * 1024
IDLE = 75.0
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
}
_REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}


@dataclass(frozen=True)
class Request:
    """``path`` is without the query; header names are in lower case; ``peer`` is the address of the caller."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: str

    @property
    def from_localhost(self) -> bool:
        return self.peer.startswith("127.") or self.peer in ("::1", "::ffff:127.0.0.1")


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


class BadMessage(ValueError):
    """The other side did not speak HTTP/1.1 as we read it."""


async def connection(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection until it closes, idles or misbehaves."""
    peer = (writer.get_extra_info("peername") or ("",))[0]
    try:
        while await _one(handler, reader, writer, peer):
            pass
    except (OSError, BadMessage, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def _one(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> bool:
    first = await asyncio.wait_for(_line(reader), IDLE)
    if not first:
        return False
    parts = first.split(" ")
    if len(parts) != 3:
        raise BadMessage(first)
    method, target, version = parts
    headers = await _headers(reader)
    body = await _body(reader, headers, until_close=False)
    path, _, query = target.partition("?")
    response = await handler(Request(method, path, query, headers, body, peer))
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    fields = {
        "content-length": str(len(response.body)),
        **response.headers,
        "connection": "keep-alive" if keep else "close",
    }
    head = f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    writer.write(head.encode("latin-1") + (b"" if method == "HEAD" else response.body))
    await writer.drain()
    return keep


async def fetch(
    host: str,
    port: int,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    source: str | None = None,
    limit: int = 10 * 1024 * 1024,
    whole: bool = True,
    unix: str = "",
    body: bytes = b"",
) -> Response:
    """One request on one new connection; with ``unix`` to that socket, ``host`` and ``port`` are then but the Host header.

    Raises OSError when there is no connection and BadMessage when the answer is no HTTP or longer than ``limit``
    (with ``whole=False`` it is cut there instead). Time is the caller's: wrap it in ``asyncio.timeout``.
    """
    if unix:
        reader, writer = await asyncio.open_unix_connection(unix, limit=MAX_HEAD)
    else:
        local = (source, 0) if source else None
        reader, writer = await asyncio.open_connection(host, port, local_addr=local, limit=MAX_HEAD)
    try:
        fields = {"Host": _authority(host, port), **(headers or {}), "Connection": "close"}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        length = f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
        writer.write((head + length + "\r\n").encode("latin-1") + body)
        await writer.drain()
        while True:
            parts = (await _line(reader)).split(" ", 2)
            if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
                raise BadMessage("no HTTP/1.1 answer")
            found = await _headers(reader)
            if int(parts[1]) >= 200:
                break
        empty = method == "HEAD" or parts[1] in ("204", "304")
        text = b"" if empty else await _body(reader, found, until_close=True, limit=limit, whole=whole)
        return Response(int(parts[1]), text, found)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise BadMessage(str(error)) from None
    finally:
        writer.close()


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readline()).decode("latin-1").rstrip("\r\n")
    except ValueError:
        raise BadMessage("a line too long") from None


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    found: dict[str, str] = {}
    size = 0
    while line := await _line(reader):
        size += len(line)
        name, colon, value = line.partition(":")
        if not colon or size > MAX_HEAD:
            raise BadMessage("bad header")
        found[name.strip().lower()] = value.strip()
    return found


async def _body(
    reader: asyncio.StreamReader,
    headers: dict[str, str],
    *,
    until_close: bool,
    limit: int = MAX_BODY,
    whole: bool = True,
) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader, limit, whole)
    length = headers.get("content-length")
    if length is None:
        return await _rest(reader, limit, whole) if until_close else b""
    if not length.isdigit():
        raise BadMessage("bad content-length")
    if int(length) > limit and whole:
        raise BadMessage(f"more than {limit} bytes")
    return await reader.readexactly(min(int(length), limit))


async def _rest(reader: asyncio.StreamReader, limit: int, whole: bool) -> bytes:
    found = bytearray()
    while len(found) <= limit and (part := await reader.read(64 * 1024)):
        found += part
    if len(found) > limit and whole:
        raise BadMessage(f"more than {limit} bytes")
    return bytes(found[:limit])


async def _chunks(reader: asyncio.StreamReader, limit: int, whole: bool) -> bytes:
    found = bytearray()
    while True:
        try:
            size = int((await _line(reader)).partition(";")[0], 16)
        except ValueError:
            raise BadMessage("bad chunk") from None
        if len(found) + size > limit:
            if whole:
                raise BadMessage(f"more than {limit} bytes")
            return bytes(found + await reader.readexactly(limit - len(found)))
        if size == 0:
            await _headers(reader)
            return bytes(found)
        found += await reader.readexactly(size)
        await reader.readexactly(2)
