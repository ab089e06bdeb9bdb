"""The debug API over HTTP: what the control plane knows, as JSON (rows DBG-01 to DBG-08, PO-11, PO-14).

On the Unix socket nobody is asked (its mode is 0600); on TCP, callers from loopback are free and others authenticate.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from mizzen import VERSION
from mizzen.api.meta import Duration
from mizzen.observe import Metrics
from mizzen.server.debug.guard import NAMESPACE, Guard
from mizzen.server.debug.over_xds import OverXds
from mizzen.server.debug.page import NoAnswer, Question
from mizzen.server.debug.pages import Pages
from mizzen.server.hub import Hub
from mizzen.server.wait import built, wait

__all__ = ["Debug", "Guard", "OverXds", "Pages"]

LONGEST_WAIT = 600.0
_HANDLER = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Debug:
    """``pages`` are shown below ``/debug``, unless ``shown`` is off."""

    def __init__(self, hub: Hub, metrics: Metrics, pages: Pages, *, shown: bool = True) -> None:
        self._hub = hub
        self._metrics = metrics
        self._pages = pages
        self._shown = shown

    def application(self, guard: Guard | None = None) -> web.Application:
        """With ``guard`` for TCP, without for the Unix socket, which always shows everything."""
        app = web.Application(middlewares=[guard.middleware] if guard is not None else [])
        get: dict[str, _HANDLER] = {"/ready": self._ready, "/version": self._version, "/metrics": self._prometheus}
        if guard is None or self._shown:
            get |= {"/debug": self._index, "/debug/{page}": self._page}
        if guard is None:
            get |= {
                "/v1/wait": self._wait,
                "/v1/findings": self._findings,
                "/v1/resources": self._resources,
                "/v1/patches": self._patches,
            }
        for path, handler in get.items():
            app.router.add_get(path, handler)
        return app

    async def _ready(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self._hub.current is not None else 503)

    async def _version(self, request: web.Request) -> web.Response:
        return web.Response(text=f"{VERSION}-mizzen-Clean")

    async def _prometheus(self, request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), content_type="text/plain", charset="utf-8")

    async def _index(self, request: web.Request) -> web.Response:
        links = "".join(
            f'<li><a href="debug/{html.escape(name)}">{html.escape(name)}</a>' for name in self._pages.names
        )
        page = f"<!doctype html><title>Debug</title><h1>Debug pages</h1><ul>{links}</ul>"
        return web.Response(text=page, content_type="text/html")

    async def _page(self, request: web.Request) -> web.Response:
        question = Question(request.match_info["page"], dict(request.query), request.get(NAMESPACE))
        try:
            return _answer(request, self._pages.answer(question))
        except NoAnswer as error:
            return web.Response(status=error.status, text=str(error))

    async def _wait(self, request: web.Request) -> web.Response:
        try:
            revision = int(request.query["revision"])
            seconds = min(float(request.query.get("timeout", "30")), LONGEST_WAIT)
        except (KeyError, ValueError):
            return web.json_response({"error": "revision (a number) and timeout (seconds) are needed"}, status=400)
        return web.json_response((await wait(self._hub, revision, seconds)).document())

    async def _findings(self, request: web.Request) -> web.Response:
        """All there are now; with ``revision`` not before a snapshot has it, 503 when that takes over ``timeout`` seconds."""
        try:
            revision = int(request.query.get("revision", "0"))
            seconds = min(float(request.query.get("timeout", "5")), LONGEST_WAIT)
        except ValueError:
            return web.json_response({"error": "revision and timeout (seconds) are numbers"}, status=400)
        if revision and not await built(self._hub, revision, seconds):
            return web.json_response({"error": self._hub.error or f"revision {revision} is not built yet"}, status=503)
        return _answer(request, sorted(self._hub.findings()))

    async def _patches(self, request: web.Request) -> web.Response:
        """What became of each EnvoyFilter patch, by proxy: of all that are connected, or of ``proxy``."""
        current, wanted = self._hub.current, request.query.get("proxy")
        found = {}
        for name, connection in sorted(self._hub.connections.items()):
            made = self._hub.resources(connection, current) if current is not None and wanted in (None, name) else None
            if made is not None:
                found[name] = list(made.patches)
        return _answer(request, found)

    async def _resources(self, request: web.Request) -> web.Response:
        connection = self._hub.connection(request.query.get("proxy", ""))
        current = self._hub.current
        resources = self._hub.resources(connection, current) if connection is not None and current is not None else None
        if resources is None:
            return web.json_response({"error": "no such proxy is connected"}, status=404)
        return web.json_response(
            {
                url: {name: {"version": r.version, "body": base64.b64encode(r.body).decode()} for name, r in of.items()}
                for url, of in resources.types.items()
            }
        )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Duration) else repr(value)


def _answer(request: web.Request, value: Any) -> web.Response:
    body = msgspec.json.encode(value, enc_hook=_plain)
    if "pretty" in request.query:
        body = json.dumps(json.loads(body), indent=2).encode()
    return web.Response(body=body, content_type="application/json")
