"""One scrape for agent, Envoy and app; Envoy's ``envoy_istio_…`` gets Istio's names (rows AG-08, ME-13, ME-17)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

from mizzen import VERSION
from mizzen.agent.http import BadMessage, Request, Response, fetch
from mizzen.agent.settings import Settings

TEXT = "text/plain; version=0.0.4; charset=utf-8"
LIMIT = 10 * 1024 * 1024
_PREFIX = re.compile(rb"^((?:# (?:TYPE|HELP) )?)envoy_(?=istio_)", re.MULTILINE)
_EOF = re.compile(rb"^# EOF\n?", re.MULTILINE)
_PASSED = ("user-agent", "x-prometheus-scrape-timeout-seconds")


class Metrics:
    """``expiry`` gives the certificate's end in seconds since 1970, 0 when there is none; ``more`` other lines of the agent."""

    def __init__(self, settings: Settings, expiry: Callable[[], float], more: Callable[[], str] = str) -> None:
        self._settings = settings
        self._expiry = expiry
        self._more = more
        self._scrapes = 0
        self._failures = {"agent": 0, "application": 0, "envoy": 0}

    async def merged(self, request: Request) -> Response:
        """What 15020 answers: any failing part is left out, the status stays 200."""
        if self._settings.metrics_localhost_only and not request.from_localhost:
            return Response(403)
        self._scrapes += 1
        apps = self._targets()
        deadline = _deadline(request)
        envoy, *found = await asyncio.gather(
            self._envoy(request, deadline), *(self._app(*app, request, deadline) for app in apps)
        )
        kind = next((part.headers["content-type"] for part in found if "content-type" in part.headers), TEXT)
        body = b"".join([self._own(), _ended(envoy.body), *(_ended(_EOF.sub(b"", part.body)) for part in found)])
        if kind.startswith("application/openmetrics-text"):
            body += b"# EOF\n"
        return _compressed(request, body, kind)

    async def envoy(self, request: Request) -> Response:
        """What 15090 answers: Envoy's part, and the build that every proxy reports."""
        part = await self._envoy(request, _deadline(request))
        return _compressed(request, _build() + part.body, TEXT)

    def _own(self) -> bytes:
        lines = [
            _build().decode(),
            f"# TYPE istio_agent_scrapes_total counter\nistio_agent_scrapes_total {self._scrapes}\n",
        ]
        lines.append("# TYPE istio_agent_scrape_failures_total counter\n")
        lines += [f'istio_agent_scrape_failures_total{{type="{name}"}} {n}\n' for name, n in self._failures.items()]
        if expiry := self._expiry():
            left = f'istio_agent_cert_expiry_seconds{{resource_name="default"}} {expiry - time.time():.3f}\n'
            lines.append("# TYPE istio_agent_cert_expiry_seconds gauge\n" + left)
        lines.append(self._more())
        return "".join(lines).encode()

    async def _envoy(self, request: Request, deadline: float) -> Response:
        path = "/stats/prometheus" + (f"?{request.query}" if request.query else "")
        part = await self._part("envoy", "127.0.0.1", self._settings.admin_port, path, {}, deadline)
        return Response(body=renamed(part.body))

    async def _app(self, port: int, path: str, request: Request, deadline: float) -> Response:
        headers = {name: value for name in (*_PASSED, "accept") if (value := request.headers.get(name))}
        return await self._part("application", "127.0.0.1", port, path, headers, deadline)

    async def _part(
        self, kind: str, host: str, port: int, path: str, headers: dict[str, str], deadline: float
    ) -> Response:
        try:
            async with asyncio.timeout(deadline):
                answer = await fetch(host, port, path, headers=headers, limit=LIMIT)
        except (OSError, BadMessage, TimeoutError):
            self._failures[kind] += 1
            return Response(503)
        if answer.status != 200:
            self._failures[kind] += 1
            return Response(answer.status)
        return answer

    def _targets(self) -> list[tuple[int, str]]:
        """The app's own endpoints: (port, path). Only sidecars have an app."""
        asked = self._settings.prometheus
        if not asked or self._settings.role == "router" or asked.get("scrape") == "false":
            return []
        texts = [text for text in asked.get("targets", "").split(",") if text.strip()]
        pairs = [text.partition(":")[::2] for text in texts] or [(asked.get("port", ""), asked.get("path", ""))]
        return [
            (int(port.strip() or 80), path.strip() or "/metrics")
            for port, path in pairs
            if (port.strip() or "80").isdigit()
        ]


def renamed(text: bytes) -> bytes:
    """Envoy's Prometheus text with ``istio_requests_total`` where Envoy wrote ``envoy_istio_requests_total``."""
    return _PREFIX.sub(rb"\1", text)


def _build() -> bytes:
    return f'# TYPE istio_build gauge\nistio_build{{component="proxy",tag="{VERSION}"}} 1\n'.encode()


def _ended(body: bytes) -> bytes:
    return body if not body or body.endswith(b"\n") else body + b"\n"


def _deadline(request: Request) -> float:
    """Prometheus' own deadline, less a little to answer in time."""
    try:
        return max(0.5, float(request.headers.get("x-prometheus-scrape-timeout-seconds", "10")) * 0.9)
    except ValueError:
        return 9.0


def _compressed(request: Request, body: bytes, kind: str) -> Response:
    headers = {"content-type": kind}
    if "gzip" in request.headers.get("accept-encoding", ""):
        import gzip

        return Response(body=gzip.compress(body, 5), headers={**headers, "content-encoding": "gzip"})
    return Response(body=body, headers=headers)
