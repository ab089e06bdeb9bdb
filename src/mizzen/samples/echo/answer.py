"""What the echo server answers: a JSON document about the request, bent by the request's own query.

``?status=N`` answers N, ``?delay=2s`` waits first, ``?fail=N&key=K`` answers 503 to the first N requests with that key
(over all pods that share a ledger, or of this pod with ``perpod=1``), ``?hdr=name:value`` adds a response header.
"""

import asyncio
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

from mizzen.samples.echo import grpc
from mizzen.samples.echo.exchange import Fields, Request, Response, first

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
_SPIFFE = re.compile(r"URI=([^;,]*)")


def seconds(text: str) -> float:
    """``200ms``, ``2s``, ``1.5``; anything else is nothing."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS[match[2]] if match else 0.0


def peer(headers: Fields) -> str:
    """The client's SPIFFE identity from X-Forwarded-Client-Cert (the last proxy's word), or ``""``."""
    found = _SPIFFE.findall(first(headers, "x-forwarded-client-cert"))
    return found[-1].strip('"') if found else ""


@dataclass
class Ledger:
    """Counts and a record of requests, shared by every process that was given the same ``directory``; who deletes a count's file begins anew."""

    directory: Path | None = None
    own: dict[str, int] = field(default_factory=dict)

    def count(self, key: str, pod: str = "") -> int:
        """How many requests with this key there were, this one included; with ``pod``, that reached this pod."""
        if self.directory is None:
            self.own[key] = self.own.get(key, 0) + 1
            return self.own[key]
        path = self.directory / f"key-{quote(pod, safe='')}-{quote(key, safe='')[:200]}"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, b".")
            return os.lseek(descriptor, 0, os.SEEK_CUR)  # after an append: the end of our own byte
        finally:
            os.close(descriptor)

    def record(self, entry: dict[str, object]) -> None:
        """One line of JSON; a short append is atomic."""
        if self.directory is None:
            return
        descriptor = os.open(self.directory / "requests", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        finally:
            os.close(descriptor)


@dataclass
class Echo:
    """One echo workload. ``documents`` is a directory whose files are served below ``/documents/``."""

    service: str
    version: str
    pod: str
    ledger: Ledger
    documents: Path | None = None

    async def answer(self, request: Request) -> Response:
        """Any HTTP request, a gRPC call among them."""
        if first(request.headers, "content-type").startswith("application/grpc"):
            return self._grpc(request)
        path, _, text = request.target.partition("?")
        if path.startswith("/documents/") and self.documents is not None:
            return self._document(unquote(path.removeprefix("/documents/")))
        query = parse_qs(text, keep_blank_values=True)
        key = query.get("key", [""])[0]
        number = self.ledger.count(key, self.pod if query.get("perpod") else "") if key else 0
        self._record(request, key)
        if wait := seconds(query.get("delay", ["0"])[0]):
            await asyncio.sleep(wait)
        status = int(query.get("status", ["200"])[0] or 200)
        if key and number <= int(query.get("fail", ["0"])[0] or 0):
            status = 503
        extra = [(name.strip(), value.strip()) for name, _, value in (h.partition(":") for h in query.get("hdr", []))]
        body = json.dumps(self.document(request)).encode() + b"\n"
        return Response(status, [("content-type", "application/json"), *extra], body)

    def document(self, request: Request) -> dict[str, object]:
        """What the answer says of the request."""
        channel = request.channel
        headers: dict[str, str] = {}
        for name, value in request.headers:
            lower = name.lower()
            headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
        return {
            "service": self.service,
            "version": self.version,
            "pod": self.pod,
            "method": request.method,
            "path": request.target,
            "host": request.host,
            "headers": headers,
            "body": request.body.decode("utf-8", "replace"),
            "protocol": request.protocol,
            "sni": channel.sni,
            "alpn": channel.alpn,
            "tls": channel.tls,
            "client_certificate": channel.client_certificate,
            "peer": peer(request.headers),
            "remote": channel.remote,
            "proxied_for": channel.proxied_for,
            "local_port": channel.local_port,
        }

    def connected(self, port: int) -> None:
        """A TCP connection on this port (not HTTP) was accepted."""
        self.ledger.record({"service": self.service, "version": self.version, "pod": self.pod, "tcp": port})

    def _record(self, request: Request, key: str) -> None:
        self.ledger.record(
            {
                "service": self.service,
                "version": self.version,
                "pod": self.pod,
                "key": key,
                "path": request.target[:300],
                "host": request.host[:200],
            }
        )

    def _document(self, name: str) -> Response:
        path = (self.documents or Path()) / quote(name, safe="")
        try:
            return Response(200, [("content-type", "application/json")], path.read_bytes())
        except OSError:
            return Response(404, [("content-type", "text/plain")], b"no such document\n")

    def _grpc(self, request: Request) -> Response:
        head = [("content-type", "application/grpc")]
        path = request.target.partition("?")[0]
        if path == grpc.HEALTH:
            return Response(200, head, grpc.framed(grpc.field(1, 1)), [("grpc-status", "0")])
        if path != grpc.ECHO:
            return Response(200, head, b"", [("grpc-status", "12"), ("grpc-message", "no such method")])
        self._record(request, "")
        message = grpc.texts(grpc.unframed(request.body)).get(1, b"").decode("utf-8", "replace")
        wanted = re.fullmatch(r"status=(\d+)", message)
        answer = json.dumps(self.document(request)).encode()
        return Response(200, head, grpc.framed(grpc.field(1, answer)), [("grpc-status", wanted[1] if wanted else "0")])
