"""What an agent asks for, over HTTPS on 15017: a certificate, news about the roots, a place to report its health."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from mizzen.errors import CsrRejected, Unauthenticated
from mizzen.pki import fingerprint
from mizzen.server.authenticate import Authenticator, Caller
from mizzen.server.ca import REQUEST_LIMIT, Issuer
from mizzen.server.hub import Signal

log = logging.getLogger(__name__)

POLL = 55.0
"""Seconds after which a long poll without news is answered."""
_REPORTS = 4096


class Agents:
    """``rotated`` is given when the roots change."""

    def __init__(self, issuer: Issuer, authenticator: Authenticator, ready: Callable[[], bool]) -> None:
        self._issuer = issuer
        self._authenticator = authenticator
        self._ready = ready
        self.rotated = Signal()
        self.health: dict[str, dict[str, Any]] = {}

    def application(self) -> web.Application:
        app = web.Application(client_max_size=REQUEST_LIMIT)
        app.router.add_post("/agent/v1/certificate", self._certificate)
        app.router.add_get("/agent/v1/watch", self._watch)
        app.router.add_post("/agent/v1/health", self._health)
        app.router.add_get("/ready", self._is_ready)
        return app

    async def _is_ready(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self._ready() else 503)

    async def _certificate(self, request: web.Request) -> web.Response:
        """{"csr": PEM, "ttl_seconds": n} -> {"cert_chain": [PEM, leaf first], "roots": [PEM]}."""
        body = await _json(request)
        csr, seconds = body.get("csr"), body.get("ttl_seconds", 0)
        if not isinstance(csr, str) or not isinstance(seconds, int) or isinstance(seconds, bool):
            return _refuse(400, 'a document {"csr": PEM, "ttl_seconds": number} is needed')
        try:
            issued = await self._issuer.issue(
                _certificate_of(request), request.headers.get("authorization", ""), csr, seconds
            )
        except Unauthenticated as error:
            log.warning("certificate request from %s: %s", request.remote, error)
            return _refuse(401, "authentication failed")
        except CsrRejected as error:
            log.warning("certificate request from %s: %s", request.remote, error.reason)
            return _refuse(400, error.reason)
        return web.json_response(
            {
                "cert_chain": list(issued.leaf_and_intermediates),
                "roots": [issued.roots],
                "not_after": issued.not_after.timestamp(),
            }
        )

    async def _watch(self, request: web.Request) -> web.Response:
        """``?version=V``: answers {"version", "roots"} at once when V is not current, else when it changes or after a while."""
        await self._caller(request)
        if request.query.get("version") == self._version:
            try:
                async with asyncio.timeout(POLL):
                    await self.rotated.wait()
            except TimeoutError:
                pass
        return web.json_response({"version": self._version, "roots": [self._issuer.authority.roots_pem]})

    @property
    def _version(self) -> str:
        return fingerprint(self._issuer.authority.roots_pem)

    async def _health(self, request: web.Request) -> web.Response:
        """{"pod": name, "ready": bool, "message": text}: kept as that pod's latest word."""
        caller = await self._caller(request)
        body = await _json(request)
        pod = caller.pod or str(body.get("pod", ""))
        if len(self.health) >= _REPORTS:
            self.health.pop(next(iter(self.health)))
        self.health[f"{pod}.{caller.identity.namespace}"] = {
            "ready": body.get("ready") is True,
            "message": str(body.get("message", ""))[:1000],
            "at": time.time(),
        }
        return web.json_response({})

    async def _caller(self, request: web.Request) -> Caller:
        try:
            return await self._authenticator.caller(_certificate_of(request), request.headers.get("authorization", ""))
        except Unauthenticated as error:
            log.warning("agent at %s: %s", request.remote, error)
            raise web.HTTPUnauthorized(
                text='{"error": "authentication failed"}', content_type="application/json"
            ) from error


def _certificate_of(request: web.Request) -> dict[str, Any] | None:
    certificate: dict[str, Any] | None = request.get_extra_info("peercert")
    return certificate or None


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text='{"error": "the body is no JSON object"}', content_type="application/json")
    return body


def _refuse(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)
