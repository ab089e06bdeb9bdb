"""A small HTTP/1.1 server: one thread per connection, keep-alive, and a drain that loses no request.

``http.server`` is not used because it reads headers through the ``email`` package (slow, and most of a small
program's memory) and cannot drain. On SIGTERM the server goes on serving, tells each peer ``Connection: close``, and
ends once no request has come for a moment: the other proxies learn of a pod's end a little later than the pod does.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from io import BufferedReader
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

QUIET_SECONDS = 1.0
"""How long no request may have come before a draining server ends."""
DRAIN_LIMIT_SECONDS = 20.0
"""When a draining server ends although requests still come (Kubernetes would kill it after 30 s)."""
LINE_LIMIT = 64 * 1024
BODY_LIMIT = 64 * 1024 * 1024
IDLE_SECONDS = 3600.0
"""Far above Envoy's idle timeout, so that it is always the proxy that closes a pooled connection."""
PROBE_PATHS = frozenset({"/health", "/healthz", "/ready", "/status/200"})
"""Paths whose requests neither keep a draining server alive nor fill its log."""


class Headers:
    """Header fields in the order they came; names compare without case."""

    __slots__ = ("fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.fields = list(fields)

    def get(self, name: str, default: str = "") -> str:
        """The first value of ``name``, or ``default``."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), default)

    def all(self, name: str) -> list[str]:
        """Every value of ``name``."""
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    def __contains__(self, name: str) -> bool:
        return bool(self.all(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)


class Request(NamedTuple):
    """One request. ``target`` is as sent, ``path`` is without query and percent-decoded."""

    method: str
    target: str
    path: str
    query: dict[str, list[str]]
    headers: Headers
    body: bytes = b""
    client: str = ""
    http10: bool = False

    @property
    def parts(self) -> list[str]:
        """The path's segments, without empty ones."""
        return [part for part in self.path.split("/") if part]


class Response(NamedTuple):
    """One answer. With ``stream`` the body is sent in chunks as they come and ``body`` is ignored."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    stream: Iterable[bytes] | None = None


Handler = Callable[[Request], Response]


class BadRequest(Exception):
    """What the peer sent is no HTTP/1.1 request; ``status`` is what it is told."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_line(reader: BufferedReader) -> str:
    """One line without its line end; ``""`` at the end of the stream too."""
    line = reader.readline(LINE_LIMIT + 1)
    if len(line) > LINE_LIMIT:
        raise BadRequest(431, "line too long")
    return line.decode("latin-1").rstrip("\r\n")


def read_headers(reader: BufferedReader) -> Headers:
    """Header fields up to the empty line."""
    fields: list[tuple[str, str]] = []
    while line := read_line(reader):
        name, colon, value = line.partition(":")
        if not colon or len(fields) > 200:
            raise BadRequest(400, "malformed header")
        fields.append((name, value.strip()))
    return Headers(fields)


def read_chunks(reader: BufferedReader) -> bytes:
    """A body in chunks, without its trailers."""
    parts: list[bytes] = []
    total = 0
    while True:
        try:
            size = int(read_line(reader).partition(";")[0], 16)
        except ValueError as error:
            raise BadRequest(400, "malformed chunk") from error
        total += size
        if size < 0 or total > BODY_LIMIT:
            raise BadRequest(413, "body too large")
        if size == 0:
            read_headers(reader)
            return b"".join(parts)
        parts.append(reader.read(size))
        reader.readline(LINE_LIMIT)


def read_body(reader: BufferedReader, headers: Headers) -> bytes:
    """The body of a request with these headers."""
    if headers.get("transfer-encoding").lower() == "chunked":
        return read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise BadRequest(400, "malformed content-length")
    if int(length) > BODY_LIMIT:
        raise BadRequest(413, "body too large")
    return reader.read(int(length)) if length != "0" else b""


def parse_request_line(line: str) -> tuple[str, str, bool]:
    """Method, target, and whether it is HTTP/1.0."""
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(400, "malformed request line")
    return words[0], words[1], words[2] == "HTTP/1.0"


def json_response(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """``value`` as JSON, with a line end for the person at the terminal."""
    import json

    return Response(status, json.dumps(value, separators=(",", ":")).encode() + b"\n", "application/json", headers)


def head_of(response: Response, close: bool, chunked: bool) -> bytes:
    """Status line and header fields, with the empty line."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Status"
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    if response.content_type and not any(name.lower() == "content-type" for name, _ in response.headers):
        lines.append(f"content-type: {response.content_type}")
    lines.extend(f"{name}: {value}" for name, value in response.headers)
    if chunked:
        lines.append("transfer-encoding: chunked")
    elif response.status >= 200 and response.status not in (204, 304):
        lines.append(f"content-length: {len(response.body)}")
    if close:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


class Server:
    """Serves ``handler`` until :meth:`drain` is done. ``port`` is the real one, also when 0 was asked for."""

    def __init__(self, handler: Handler, port: int, host: str = "0.0.0.0", quiet: float = QUIET_SECONDS) -> None:
        self.handler = handler
        self.quiet = quiet
        self.draining = False
        self._lock = threading.Lock()
        self._in_flight = 0
        self._last_request = 0.0
        self._listener = socket.create_server((host, port), backlog=1024, reuse_port=False)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Accepts from now on, in the background."""
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def drain(self) -> None:
        """Serves on with ``Connection: close`` until no request is in flight and none came for ``quiet`` seconds."""
        begin = time.monotonic()
        with self._lock:
            self.draining = True
            self._last_request = begin
        while (now := time.monotonic()) - begin < DRAIN_LIMIT_SECONDS:
            with self._lock:
                if not self._in_flight and now - self._last_request >= self.quiet:
                    break
            time.sleep(0.02)
        # close() alone does not wake the thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return  # closed at the end of drain()
            threading.Thread(target=self._serve, args=(connection, address[0]), daemon=True).start()

    def _serve(self, connection: socket.socket, client: str) -> None:
        with connection, connection.makefile("rb") as reader:
            connection.settimeout(IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while self._one(connection, reader, client):
                    pass
            except BadRequest as error:
                refusal = Response(error.status, f"{error}\n".encode())
                self._try_send(connection, head_of(refusal, True, False) + refusal.body)
            except OSError:
                return  # the peer went away

    @staticmethod
    def _try_send(connection: socket.socket, data: bytes) -> None:
        try:
            connection.sendall(data)
        except OSError:
            return

    def _one(self, connection: socket.socket, reader: BufferedReader, client: str) -> bool:
        line = read_line(reader)
        if not line:
            return False
        method, target, http10 = parse_request_line(line)
        path, _, query = target.partition("?")
        path = unquote(path)
        probe = path in PROBE_PATHS
        with self._lock:
            self._in_flight += 1
            if not probe:
                self._last_request = time.monotonic()
        try:
            headers = read_headers(reader)
            if headers.get("expect").lower() == "100-continue":
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = read_body(reader, headers)
            fields = parse_qs(query, keep_blank_values=True) if query else {}
            request = Request(method, target, path, fields, headers, body, client, http10)
            response = self._answer(request)
            wish = headers.get("connection").lower()
            close = self.draining or wish == "close" or (http10 and wish != "keep-alive")
            self._send(connection, request, response, close)
        finally:
            with self._lock:
                self._in_flight -= 1
        if not probe:
            log(f"{client} {method} {target} {response.status} {caller(headers)}".rstrip())
        return not close

    def _answer(self, request: Request) -> Response:
        try:
            return self.handler(request)
        except BadRequest as error:
            return json_response({"error": str(error)}, error.status)
        except Exception as error:  # noqa: BLE001 - one bad request must not end the connection of others
            log(f"error: {request.method} {request.target}: {type(error).__name__}: {error}")
            return Response(500, b"internal error\n")

    def _send(self, connection: socket.socket, request: Request, response: Response, close: bool) -> None:
        if response.stream is not None and request.http10:
            response = response._replace(body=b"".join(response.stream), stream=None)
        chunked = response.stream is not None
        head = head_of(response, close, chunked)
        if request.method == "HEAD" or response.status in (204, 304):
            connection.sendall(head)
        elif response.stream is None:
            connection.sendall(head + response.body)
        else:
            connection.sendall(head)
            for part in response.stream:
                if part:
                    connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            connection.sendall(b"0\r\n\r\n")


def caller(headers: Headers) -> str:
    """The identity that the sidecar saw of the caller: the URI of the last entry of X-Forwarded-Client-Cert, or ``""``."""
    _, found, last = headers.get("x-forwarded-client-cert").rpartition("URI=")
    if not found:
        return ""
    return last.partition(";")[0].partition(",")[0].strip('"')


def log(text: str) -> None:
    """One line on stdout, at once; a reader that is gone is no error."""
    try:
        os.write(1, f"{text}\n".encode("utf-8", "replace"))
    except OSError:
        return


def wait_for_stop() -> None:
    """Returns at SIGTERM or SIGINT. Call :func:`block_stop_signals` before any thread starts."""
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


def block_stop_signals() -> None:
    """Lets only :func:`wait_for_stop` see SIGTERM and SIGINT; also as process 1 they are then not ignored."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    threading.stack_size(256 * 1024)


def serve(handler: Handler, ports: Iterable[int], name: str) -> None:
    """Serves ``handler`` on every port until SIGTERM, drains, and returns. A port in use ends the process with 1."""
    block_stop_signals()
    servers = []
    for port in ports:
        try:
            servers.append(Server(handler, port))
        except OSError as error:
            print(f"{name}: port {port}: {error.strerror}", file=sys.stderr)
            raise SystemExit(1) from error
    for server in servers:
        server.start()
        log(f"{name} listening on port {server.port}")
    wait_for_stop()
    log(f"{name} stopping")
    drains = [threading.Thread(target=server.drain, daemon=True) for server in servers]
    for thread in drains:
        thread.start()
    for thread in drains:
        thread.join()


def port_argument(default: int) -> int:
    """The port from the first argument, else from ``PORT``, else ``default``."""
    text = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PORT", "")
    return int(text) if text.isdigit() else default
