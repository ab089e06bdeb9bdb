"""The echo client: one call per line of standard input (JSON), one result per line of standard output.

A call is ``{"id": N, "call": {…}}`` with one of ``url``, ``tcp``, ``grpc``, ``dns``; the result ``{"id": N, "results": […]}``.
``"background": true`` repeats the call until ``{"id": N, "stop": true}``.
"""

import asyncio
import base64
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from mizzen.samples.echo import grpc, names, websocket
from mizzen.samples.echo.connection import Connection, Json
from mizzen.samples.echo.exchange import Fields, first

_SECONDS = 20.0
"""How long a call may take that sets no ``timeout``: longer than Envoy's own 15 s for a route, so that these would be seen."""
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_GREETED = (9002,)
"""Ports on which the server speaks first, so a client waits for it."""
_REDIRECTS = 5
_UNSAFE = "/%:=&?~+!$,;'@()*[]"
_GRPC_OF_HTTP = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}


def numbered(value: Any, number: int) -> Any:
    """``${i}`` becomes the number of the call."""
    return value.replace("${i}", str(number)) if isinstance(value, str) else value


class Caller:
    """Makes the calls of one job, one after the other, on connections of its own."""

    def __init__(self, call: Json) -> None:
        self._call = call
        self._open: dict[tuple[str, int, bool], Connection] = {}
        self._cookies: dict[str, str] = {}

    async def one(self, number: int) -> Json:
        """One call's result; never raises for what the network does."""
        begin = time.monotonic()
        try:
            async with asyncio.timeout(float(self._call.get("timeout") or _SECONDS)):
                result = await self._make(number)
        except TimeoutError:
            result = {"error": "timeout"}
        except (OSError, ValueError, KeyError) as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        if "error" in result or self._call.get("new_connection"):
            self.close()
        return {**result, "ms": round((time.monotonic() - begin) * 1000, 1), "at": time.time()}

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    async def _make(self, number: int) -> Json:
        if "dns" in self._call:
            found = await names.addresses(
                self._call["dns"], self._call.get("proto", "udp"), self._call.get("server", "")
            )
            return {"dns": found}
        if "grpc" in self._call:
            return await self._grpc(self._call["grpc"], number)
        if "tcp" in self._call:
            return await self._tcp(number)
        return await self._http(numbered(self._call["url"], number), number, _REDIRECTS)

    async def _connection(self, host: str, port: int, secure: bool, server_name: str) -> Connection:
        key = (host, port, secure)
        found = self._open.get(key)
        if found is not None and found.usable:
            return found
        tls = {"sni": server_name, **(self._call.get("tls") or {})} if secure else None
        found = await Connection.open(host, port, tls, bool(self._call.get("http2") or "grpc" in self._call))
        self._open[key] = found
        return found

    async def _tcp(self, number: int) -> Json:
        host, _, port = str(self._call["address"]).rpartition(":")
        connection = await self._connection(host, int(port), "tls" in self._call, "")
        told = await connection.line(
            numbered(self._call["tcp"], number), bool(self._call.get("greeted", int(port) in _GREETED))
        )
        if self._call.get("new_connection", True):
            self.close()
        return {"tcp": told, "alpn": connection.alpn}

    async def _grpc(self, asked: Json, number: int) -> Json:
        host, _, port = str(asked["address"]).rpartition(":")
        target = self._dialled(host, int(port))
        connection = await self._connection(*target, "tls" in self._call, host)
        metadata = {**(self._call.get("headers") or {}), **(asked.get("metadata") or asked.get("headers") or {})}
        headers: Fields = [(name.lower(), str(numbered(value, number))) for name, value in metadata.items()]
        body = grpc.framed(grpc.field(1, str(asked.get("message", "hello")).encode()))
        path = str(asked.get("method") or grpc.ECHO)
        authority = self._call.get("host") or asked["address"]
        standard = [("content-type", "application/grpc"), ("te", "trailers")]
        scheme = "https" if "tls" in self._call else "http"
        response, trailers = await connection.request("POST", scheme, authority, path, [*standard, *headers], body)
        status = first(trailers, "grpc-status") or first(response.headers, "grpc-status")
        code = int(status) if status.isdigit() else _GRPC_OF_HTTP.get(response.status, 2)
        text = grpc.texts(grpc.unframed(response.body)).get(1, b"").decode("utf-8", "replace")
        told = _joined([*response.headers, *trailers])
        return {"grpc": code, "status": response.status, "headers": told, "body": text, "alpn": connection.alpn}

    def _dialled(self, host: str, port: int) -> tuple[str, int]:
        place = str(self._call.get("connect") or "")
        if not place:
            return host, port
        address, colon, number = place.rpartition(":")
        return (address, int(number)) if colon and number.isdigit() else (place, port)

    async def _http(self, url: str, number: int, hops: int) -> Json:
        parts = urlsplit(url)
        secure = parts.scheme in ("https", "wss")
        name = parts.hostname or ""
        host, port = self._dialled(name, parts.port or _PORTS[parts.scheme])
        connection = await self._connection(host, port, secure, name)
        headers, authority = self._headers(parts.netloc.rpartition("@")[2], number)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self._call.get("raw_path"):
            target = "/" + url.split("://", 1)[1].partition("/")[2]
        else:
            target = quote(target, safe=_UNSAFE)
        body = str(numbered(self._call.get("body") or "", number)).encode()
        method = str(self._call.get("method") or ("POST" if body and not parts.scheme.startswith("ws") else "GET"))
        if parts.scheme.startswith("ws"):
            headers += [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-version", "13")]
            headers.append(("sec-websocket-key", base64.b64encode(b"0123456789abcdef").decode()))
            response, _ = await connection.request("GET", "http", authority, target, headers, b"")
            if response.status == 101:
                response.body = (await connection.message(body.decode() or "hello")).encode()
                accepted = first(response.headers, "sec-websocket-accept")
                if accepted != websocket.accept("MDEyMzQ1Njc4OWFiY2RlZg=="):
                    raise ConnectionResetError("the WebSocket handshake was not for this key")
        else:
            response, _ = await connection.request(method, parts.scheme, authority, target, headers, body)
        self._remember(response.headers)
        location = first(response.headers, "location")
        if self._call.get("follow") and 300 <= response.status < 400 and location and hops:
            return await self._http(urljoin(url, location), number, hops - 1)
        return {
            "status": response.status,
            "headers": _joined(response.headers),
            "body": response.body.decode("utf-8", "replace"),
            "protocol": connection.protocol,
            "alpn": connection.alpn,
            "tls_version": connection.tls_version,
            "certificate": base64.b64encode(connection.certificate).decode(),
        }

    def _headers(self, authority: str, number: int) -> tuple[Fields, str]:
        headers: Fields = []
        given = dict(self._call.get("headers") or {})
        authority = str(self._call.get("host") or authority)
        for name, value in given.items():
            if name.lower() == "host":
                authority = str(numbered(value, number))
                continue
            values = value if isinstance(value, list) else [value]
            headers += [(name, str(numbered(each, number))) for each in values]
        if self._cookies:
            headers.append(("cookie", "; ".join(f"{k}={v}" for k, v in self._cookies.items())))
        if not any(name.lower() == "user-agent" for name, _ in headers):
            headers.append(("user-agent", "echo-client"))
        return headers, authority

    def _remember(self, headers: Fields) -> None:
        if not self._call.get("keep_cookies"):
            return
        for name, value in headers:
            if name.lower() == "set-cookie":
                key, _, text = value.partition(";")[0].partition("=")
                self._cookies[key.strip()] = text.strip().strip('"')


def _joined(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields:
        lower = name.lower()
        found[lower] = f"{found[lower]},{value}" if lower in found else value
    return found


async def run_call(call: Json) -> list[Json]:
    """The results of ``count`` calls, in order, by ``concurrency`` callers."""
    count, concurrency = int(call.get("count") or 1), int(call.get("concurrency") or 1)
    results: list[Json] = [{} for _ in range(count)]
    numbers = iter(range(count))

    async def work() -> None:
        caller = Caller(call)
        for number in numbers:
            results[number] = await caller.one(number)
        caller.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(min(concurrency, count)):
            tasks.create_task(work())
    return results


async def run_until(call: Json, stop: asyncio.Event) -> list[Json]:
    """The results of the call, repeated every 20 ms until ``stop``; bodies are kept."""
    results: list[Json] = []
    caller = Caller(call)
    while not stop.is_set():
        results.append(await caller.one(len(results)))
        await asyncio.sleep(0.02)
    caller.close()
    return results


async def serve(read: Callable[[], Awaitable[str]], write: Callable[[str], None]) -> None:
    """Until ``read`` gives an empty text. Jobs run side by side."""
    stops: dict[int, asyncio.Event] = {}

    async def work(job: Json) -> None:
        if job.get("background"):
            results = await run_until(job["call"], stops.setdefault(job["id"], asyncio.Event()))
        else:
            results = await run_call(job["call"])
        write(json.dumps({"id": job["id"], "results": results}))

    async with asyncio.TaskGroup() as tasks:
        while line := await read():
            job = json.loads(line)
            if job.get("stop"):
                stops.setdefault(job["id"], asyncio.Event()).set()
            else:
                tasks.create_task(work(job))


def main() -> None:
    """Jobs from standard input, results to standard output."""

    async def run() -> None:
        async def read() -> str:
            return await asyncio.to_thread(sys.stdin.readline)

        def write(text: str) -> None:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

        await serve(read, write)

    asyncio.run(run())


if __name__ == "__main__":
    main()
