"""A small HTTP/1.1 client: one connection per request, so that no request meets a connection that just went stale."""

import socket
from collections.abc import Iterable
from io import BufferedReader
from typing import NamedTuple
from urllib.parse import urlsplit

from mizzen.samples.web import BadRequest, Headers, read_chunks, read_headers, read_line


class FetchError(Exception):
    """No answer: not resolved, refused, reset, timed out, or no HTTP."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Headers
    body: bytes


def fetch(
    url: str,
    headers: Iterable[tuple[str, str]] = (),
    *,
    timeout: float,
    method: str = "GET",
    body: bytes = b"",
) -> Answer:
    """Sends one request. ``timeout`` (seconds) bounds the connect and each wait for bytes; raises :class:`FetchError`."""
    where = urlsplit(url)
    host, port = where.hostname or "", where.port or 80
    target = (where.path or "/") + (f"?{where.query}" if where.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"host: {where.netloc}", "connection: close"]
    lines.extend(f"{name}: {value}" for name, value in headers)
    if body:
        lines.append(f"content-length: {len(body)}")
    data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            connection.sendall(data)
            with connection.makefile("rb") as reader:
                return receive(reader, method)
    except (OSError, BadRequest, UnicodeError) as error:
        raise FetchError(str(error) or type(error).__name__) from error


def receive(reader: BufferedReader, method: str) -> Answer:
    """Reads one answer to a request with ``method``; raises :class:`FetchError`, OSError or BadRequest."""
    status, fields = _head(read_line(reader)), read_headers(reader)
    if method == "HEAD" or status in (204, 304):
        return Answer(status, fields, b"")
    if fields.get("transfer-encoding").lower() == "chunked":
        return Answer(status, fields, read_chunks(reader))
    length = fields.get("content-length")
    content = reader.read(int(length)) if length.isdigit() else reader.read()
    if length.isdigit() and len(content) < int(length):
        raise FetchError("the answer broke off")
    return Answer(status, fields, content)


def _head(line: str) -> int:
    words = line.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise FetchError("no HTTP answer")
    return int(words[1])
