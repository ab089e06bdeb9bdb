"""The program: gRPC on 8081, ``/healthcheck`` and ``/json`` on 8080, ``/rlconfig`` on 6070.

Environment, as the reference service has it: ``RUNTIME_ROOT``/``RUNTIME_SUBDIRECTORY``/config holds the ``*.yaml`` files
(read again when they change), ``REDIS_URL`` (``HOST:PORT``; without it counters are this process's own), ``PORT``,
``GRPC_PORT``, ``DEBUG_PORT``.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mizzen.samples.echo import grpc
from mizzen.samples.echo.answer import Echo, Ledger
from mizzen.samples.echo.exchange import Request, Response, first
from mizzen.samples.echo.server import Server
from mizzen.samples.ratelimit.counters import Clock, Counters, Memory, Redis
from mizzen.samples.ratelimit.decide import decide
from mizzen.samples.ratelimit.limits import BadConfiguration, Limits
from mizzen.samples.ratelimit.messages import OK, Descriptor, Question, Status, answer, question

SHOULD_RATE_LIMIT = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
_UNIMPLEMENTED, _UNAVAILABLE = "12", "14"
_PATIENCE = 1.0
"""Seconds between two looks at the files."""


class Directory:
    """The limits that a directory's files describe; what cannot be read leaves the last good ones in force."""

    def __init__(self, path: Path, log: Callable[[str], None], now: Clock = time.monotonic) -> None:
        self._path, self._log, self._now = path, log, now
        self._seen: list[tuple[str, str]] | None = None
        self._looked = float("-inf")
        self._limits = Limits()

    def limits(self) -> Limits:
        """The limits in force."""
        if self._now() - self._looked >= _PATIENCE:
            self._looked = self._now()
            texts = [(path.name, path.read_text()) for path in sorted(self._path.glob("*.yaml"))]
            if texts != self._seen:
                self._seen = texts
                self._read(texts)
        return self._limits

    def _read(self, texts: list[tuple[str, str]]) -> None:
        import yaml

        found = Limits()
        for name, text in texts:
            try:
                found.add(yaml.safe_load(text))
            except (BadConfiguration, yaml.YAMLError) as error:
                self._log(f"ratelimit: {name}: {error}; the last good configuration stays in force")
                return
        self._limits = found
        self._log(f"ratelimit: {len(texts)} file(s): {'; '.join(found.described()) or 'nothing is limited'}")


class Service(Echo):
    """Answers every port; what a path is not for is 404."""

    def __init__(self, directory: Directory, counters: Counters, now: Clock = time.time) -> None:
        super().__init__("ratelimit", "v1", "", Ledger())
        self._directory, self._counters, self._now = directory, counters, now

    async def answer(self, request: Request) -> Response:
        """A gRPC call, or one of the plain paths."""
        if first(request.headers, "content-type").startswith("application/grpc"):
            return await self._call(request)
        path = request.target.partition("?")[0]
        if path == "/healthcheck":
            return Response(200, [("content-type", "text/plain")], b"OK")
        if path == "/rlconfig":
            return Response(200, [], "\n".join([*self._directory.limits().described(), ""]).encode())
        if path == "/json" and request.method == "POST":
            return await self._json(request.body)
        return Response(404)

    async def _call(self, request: Request) -> Response:
        if request.target == grpc.HEALTH:
            return _grpc(grpc.field(1, 1))
        if request.target != SHOULD_RATE_LIMIT:
            return _grpc(b"", _UNIMPLEMENTED, "no such method")
        try:
            overall, statuses = await self._decide(question(grpc.unframed(request.body)))
        except OSError as error:
            return _grpc(b"", _UNAVAILABLE, str(error))
        return _grpc(answer(overall, statuses))

    async def _json(self, body: bytes) -> Response:
        try:
            asked = json.loads(body)
            descriptors = [
                Descriptor([(str(e["key"]), str(e.get("value", ""))) for e in d["entries"]])
                for d in asked["descriptors"]
            ]
            overall, _ = await self._decide(
                Question(str(asked["domain"]), descriptors, int(asked.get("hitsAddend", 1)))
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return Response(400, [], b"no rate-limit request\n")
        except OSError as error:
            return Response(500, [], f"{error}\n".encode())
        code = {"overallCode": "OK" if overall == OK else "OVER_LIMIT"}
        return Response(
            200 if overall == OK else 429, [("content-type", "application/json")], json.dumps(code).encode()
        )

    async def _decide(self, asked: Question) -> tuple[int, list[Status]]:
        return await decide(asked, self._directory.limits(), self._counters, self._now)


def _grpc(message: bytes, status: str = "0", text: str = "") -> Response:
    trailers = [("grpc-status", status)]
    if text:
        trailers.append(("grpc-message", text))
    body = grpc.framed(message) if status == "0" else b""
    return Response(200, [("content-type", "application/grpc")], body, trailers)


def _log(text: str) -> None:
    print(text, flush=True)


async def run(environment: dict[str, str]) -> None:
    """Serves until SIGTERM. Raises OSError when a port is taken."""
    root = Path(environment.get("RUNTIME_ROOT", "/srv/runtime_data/current"))
    directory = Directory(root / environment.get("RUNTIME_SUBDIRECTORY", "") / "config", _log)
    directory.limits()
    address = environment.get("REDIS_URL", "")
    service = Service(directory, Redis(address) if address else Memory(time.time))
    server, stop = Server(service, None), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listeners = [
        await server.listen("http", "0.0.0.0", int(environment.get(name, usual)))
        for name, usual in (("PORT", "8080"), ("GRPC_PORT", "8081"), ("DEBUG_PORT", "6070"))
    ]
    _log(f"ratelimit listens on {len(listeners)} ports, counts in {'redis ' + address if address else 'memory'}")
    await stop.wait()
    for listener in listeners:
        listener.close()


if __name__ == "__main__":
    try:
        asyncio.run(run(dict(os.environ)))
    except OSError as problem:
        print(f"ratelimit: {problem}", file=sys.stderr)
        sys.exit(1)
