"""The header that a proxy may put before a connection's own bytes (HAProxy's PROXY protocol, versions 1 and 2)."""

import asyncio
import socket

from mizzen.samples.echo.exchange import Malformed

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FIRST = b"PROXY "


async def read(reader: asyncio.StreamReader, begun: bytes) -> str:
    """``ADDRESS:PORT`` of the client that the header names, ``""`` for a health check's own connection.

    ``begun`` is what was read of the header. Raises Malformed.
    """
    if begun.startswith(FIRST):
        line = begun if begun.endswith(b"\n") else begun + await reader.readline()
        words = line.decode("ascii", "replace").split()
        return f"{words[2]}:{words[4]}" if len(words) >= 6 else ""
    begun += await reader.readexactly(16 - len(begun))
    if begun[:12] != SIGNATURE:
        raise Malformed("no PROXY protocol header")
    rest = await reader.readexactly(int.from_bytes(begun[14:16], "big"))
    if begun[12] & 0x0F == 0:
        return ""
    if begun[13] >> 4 == 1:
        return f"{socket.inet_ntop(socket.AF_INET, rest[:4])}:{int.from_bytes(rest[8:10], 'big')}"
    return f"[{socket.inet_ntop(socket.AF_INET6, rest[:16])}]:{int.from_bytes(rest[32:34], 'big')}"
