"""The kubelet's probes of the app, asked from inside the pod where no certificate is needed (row AG-09)."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urljoin, urlsplit

from mizzen.agent.grpc_health import serving
from mizzen.agent.http import BadMessage, Request, Response, fetch
from mizzen.agent.settings import Settings

SOURCE = {4: "127.0.0.6", 6: "::6"}
"""Addresses that capture leaves alone, so a probe is never taken for a call of the app (row TC-03)."""

BODY_LIMIT = 10 * 1024
REDIRECTS = 10
_DROPPED = ("connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "accept-encoding", "host")


class Probes:
    """``settings.app_probers`` says what each path stands for."""

    def __init__(self, settings: Settings) -> None:
        self._probers = settings.app_probers
        self._host = "localhost" if settings.probe_localhost else settings.instance_ip
        self._status_port = settings.status_port
        self._source = None if settings.probe_localhost else SOURCE[6 if ":" in settings.instance_ip else 4]

    async def relay(self, request: Request) -> Response:
        """The app's answer; 400 for a path that nobody configured, 500 when there is no answer."""
        prober = self._probers.get(request.path)
        if not isinstance(prober, dict):
            return Response(400, b"unknown probe\n")
        timeout = float(prober.get("timeoutSeconds") or 1)
        try:
            async with asyncio.timeout(timeout):
                return await self._ask(prober, request)
        except (OSError, BadMessage, TimeoutError, ValueError, KeyError, TypeError) as error:
            return Response(500, f"{type(error).__name__}: {error}\n".encode())

    async def _ask(self, prober: dict[str, Any], request: Request) -> Response:
        if "tcpSocket" in prober:
            port = int(prober["tcpSocket"]["port"])
            _, writer = await asyncio.open_connection(self._host, port, local_addr=self._local())
            writer.close()
            return Response()
        if "grpc" in prober:
            spec = prober["grpc"]
            good = await serving(self._host, int(spec["port"]), str(spec.get("service") or ""), self._local())
            return Response(200 if good else 500)
        return await self._http(prober["httpGet"], request)

    def _local(self) -> tuple[str, int] | None:
        return (self._source, 0) if self._source else None

    async def _http(self, spec: dict[str, Any], request: Request) -> Response:
        port, secure = int(spec["port"]), str(spec.get("scheme", "")).upper() == "HTTPS"
        headers = {name: value for name, value in request.headers.items() if name not in _DROPPED}
        host = request.headers.get("host", "")
        if host.endswith(f":{self._status_port}"):
            host = host.removesuffix(f"{self._status_port}") + str(port)
        if host:
            headers["Host"] = host
        path = "/" + str(spec.get("path") or "/").lstrip("/")
        for _ in range(REDIRECTS + 1):
            answer = await self._once(port, path, headers, secure)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return Response(answer.status, answer.body)
            here = urlsplit(f"http://{host or self._host}{path}")
            there = urlsplit(urljoin(here.geturl(), target))
            if there.hostname not in (here.hostname, self._host):
                return Response(200)
            path = there.path + (f"?{there.query}" if there.query else "")
            port = there.port or port
        return Response(500, b"too many redirects\n")

    async def _once(self, port: int, path: str, headers: dict[str, str], secure: bool) -> Response:
        if not secure:
            return await fetch(
                self._host, port, path, headers=headers, source=self._source, limit=BODY_LIMIT, whole=False
            )
        return await asyncio.to_thread(insecure_https, self._host, port, path, headers, self._source)


def insecure_https(host: str, port: int, path: str, headers: dict[str, str], source: str | None) -> Response:
    """Over TLS without verification, as the kubelet does. ``ssl`` is loaded with the first such probe, not before."""
    import http.client
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    local = (source, 0) if source else None
    connection = http.client.HTTPSConnection(host, port, timeout=10, source_address=local, context=context)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, answer.read(BODY_LIMIT), found)
    except http.client.HTTPException as error:
        raise BadMessage(str(error)) from None
    finally:
        connection.close()
