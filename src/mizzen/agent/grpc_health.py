"""``grpc.health.v1.Health/Check`` with as much HTTP/2 as one call needs (RFC 9113, RFC 7541 without Huffman or dynamic table)."""

from __future__ import annotations

import asyncio

from mizzen.agent.http import BadMessage

_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_ACK, _END_STREAM, _END_HEADERS, _PADDED = 1, 1, 4, 8
_MAX_FRAME = 1 << 20
_SERVING = b"\x08\x01"
"""HealthCheckResponse {status: SERVING}."""


async def serving(host: str, port: int, service: str, local: tuple[str, int] | None) -> bool:
    """Whether the server says that ``service`` is serving. Raises OSError or BadMessage when it says nothing."""
    reader, writer = await asyncio.open_connection(host, port, local_addr=local)
    try:
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b""))
        writer.write(_frame(_HEADERS, _END_HEADERS, 1, _request(f"{host}:{port}")))
        name = service.encode()
        message = b"\x0a" + _varint(len(name)) + name if name else b""
        writer.write(_frame(_DATA, _END_STREAM, 1, b"\0" + len(message).to_bytes(4, "big") + message))
        await writer.drain()
        return (await _answer(reader, writer))[5:] == _SERVING
    except asyncio.IncompleteReadError:
        raise BadMessage("the server closed the connection") from None
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The data of stream 1."""
    found = b""
    while True:
        kind, flags, stream, body = await _read(reader)
        if kind == _SETTINGS and not flags & _ACK:
            writer.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            writer.write(_frame(_PING, _ACK, 0, body))
        elif kind in (_RST, _GOAWAY):
            raise BadMessage("the server refused the call")
        elif kind == _DATA and stream == 1:
            found += body[1 : len(body) - body[0]] if flags & _PADDED else body
        if kind in (_DATA, _HEADERS) and stream == 1 and flags & _END_STREAM:
            return found


async def _read(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    head = await reader.readexactly(9)
    length = int.from_bytes(head[:3], "big")
    if length > _MAX_FRAME:
        raise BadMessage("no HTTP/2 server")
    return head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, await reader.readexactly(length)


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def _request(authority: str) -> bytes:
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Check",
        ":authority": authority,
        "content-type": "application/grpc",
        "te": "trailers",
        "user-agent": "kube-probe/mizzen",
    }
    # Each a literal field, never indexed, with its name spelled out.
    return b"".join(b"\x10" + _text(name) + _text(value) for name, value in fields.items())


def _text(text: str) -> bytes:
    raw = text.encode("ascii")
    return _prefixed(len(raw)) + raw


def _prefixed(number: int) -> bytes:
    return bytes((number,)) if number < 127 else b"\x7f" + _varint(number - 127)


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found, number = found + bytes((number & 127 | 128,)), number >> 7
    return found + bytes((number,))
