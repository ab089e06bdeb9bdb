"""What both ends call a request and a response, and how an HTTP/1.1 message is read."""

import asyncio
from dataclasses import dataclass, field

Fields = list[tuple[str, str]]
LIMIT = 64 * 1024 * 1024
"""The largest body in bytes."""


class Malformed(Exception):
    """The peer does not speak the protocol that was expected of it."""


@dataclass
class Channel:
    """The connection that a request came on."""

    local_port: int = 0
    remote: str = ""
    tls: bool = False
    sni: str = ""
    alpn: str = ""
    client_certificate: str = ""
    proxied_for: str = ""
    """``ADDRESS:PORT`` of the PROXY protocol header; empty without one."""


@dataclass
class Request:
    """One request. ``target`` is the path with its query, as sent."""

    method: str
    target: str
    host: str
    headers: Fields
    body: bytes
    protocol: str
    channel: Channel


@dataclass
class Response:
    """One answer. ``trailers`` are sent by HTTP/2 only."""

    status: int = 200
    headers: Fields = field(default_factory=list)
    body: bytes = b""
    trailers: Fields | None = None


def first(fields: Fields, name: str, default: str = "") -> str:
    """The first value of a header field; names compare without case."""
    return next((value for key, value in fields if key.lower() == name), default)


async def read_fields(reader: asyncio.StreamReader) -> Fields:
    """Header fields up to the empty line. Raises Malformed."""
    fields: Fields = []
    while line := (await reader.readline()).decode("latin-1").rstrip("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            raise Malformed(f"a header line without a colon: {line[:80]!r}")
        fields.append((name, value.strip()))
    return fields


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    """A chunked body, without its trailers. Raises Malformed."""
    parts: list[bytes] = []
    while True:
        line = await reader.readline()
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            raise Malformed(f"a chunk of size {line[:20]!r}") from None
        if size == 0:
            await read_fields(reader)
            return b"".join(parts)
        parts.append(await reader.readexactly(size))
        await reader.readline()


async def read_body(reader: asyncio.StreamReader, fields: Fields, until_end: bool = False) -> bytes:
    """The body that the header fields announce; with ``until_end`` and no length, everything up to the end."""
    if first(fields, "transfer-encoding").lower() == "chunked":
        return await read_chunks(reader)
    length = first(fields, "content-length")
    if length.isdigit() and int(length) <= LIMIT:
        return await reader.readexactly(int(length))
    return await reader.read(-1) if until_end and not length else b""
