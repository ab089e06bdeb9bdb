"""WebSocket (RFC 6455) as far as an echo needs it: the handshake and whole frames."""

import asyncio
import base64
import hashlib
import os

from mizzen.samples.echo.exchange import Malformed

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def accept(key: str) -> str:
    """The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()


def frame(code: int, data: bytes, masked: bool) -> bytes:
    """One whole frame; clients mask."""
    flag = 0x80 if masked else 0
    size = len(data)
    if size < 126:
        head = bytes([0x80 | code, flag | size])
    elif size < 65536:
        head = bytes([0x80 | code, flag | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | code, flag | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """(opcode, data) of the next frame. Raises IncompleteReadError at the end, Malformed for a huge frame."""
    head = await reader.readexactly(2)
    size = head[1] & 0x7F
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    if size > 1 << 24:
        raise Malformed("a WebSocket frame above 16 MiB")
    mask = await reader.readexactly(4) if head[1] & 0x80 else b""
    data = await reader.readexactly(size)
    if mask:
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
    return head[0] & 0x0F, data


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends every message back until the peer closes."""
    while True:
        code, data = await read_frame(reader)
        if code == CLOSE:
            writer.write(frame(CLOSE, data, False))
            await writer.drain()
            return
        writer.write(frame(PONG if code == PING else code, data, False))
        await writer.drain()
