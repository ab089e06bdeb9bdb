"""HTTP/1 byte by byte: a backend that keeps what it understood, and connections that say what a test wants."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)


@dataclass
class Backend:
    """``requests`` are the request lines, each with its body, in the order of arrival."""

    port: int
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return [line for line, _ in self.requests]


@contextmanager
def backend(host: str = "127.0.0.1") -> Iterator[Backend]:
    """Reads requests as RFC 9112 says and answers each with 200 ``hello``."""
    listening = socket.create_server((host, 0))
    found = Backend(listening.getsockname()[1])

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            while head := _head(reader):
                body = _body(reader, head)
                found.heads.append(head)
                found.requests.append((head.split(b"\r\n", 1)[0].decode("latin-1"), body))
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
                except OSError:
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def _head(reader: BinaryIO) -> bytes:
    head = b""
    while line := reader.readline():
        head += line
        if line == b"\r\n":
            return head
    return b""


def _body(reader: BinaryIO, head: bytes) -> bytes:
    """What came of it, when the proxy gives up in the middle."""
    if not _CHUNKED.search(head):
        length = _LENGTH.search(head)
        return reader.read(int(length[1])) if length else b""
    body = b""
    while size := int(reader.readline().split(b";")[0] or b"0", 16):
        body += reader.read(size)
        reader.readline()
    while reader.readline() not in (b"\r\n", b""):
        pass
    return body


def say(address: tuple[str, int], data: bytes, seconds: float = 1.0) -> bytes:
    """Send ``data`` in plain text and read until the other side closes, or is silent for ``seconds``."""
    answer = b""
    try:
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(data)
            connection.settimeout(seconds)
            while part := connection.recv(65536):
                answer += part
    except (TimeoutError, ConnectionError):
        pass
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of each answer in ``answer``."""
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]
