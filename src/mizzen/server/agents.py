"""What an agent asks for, over HTTPS on 15017: a certificate, news about the roots, a place to report its health."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import Any

from aiohttp import web
from envoy.config.core.v3 import base_pb2
from google.protobuf import json_format

from mizzen.errors import CsrRejected, ProtocolError, SigningFailed, Unauthenticated
from mizzen.model.resources import ResourceSet
from mizzen.pki import fingerprint
from mizzen.server import names
from mizzen.server.authenticate import Authenticator, Caller
from mizzen.server.ca import REQUEST_LIMIT, Issuer
from mizzen.server.hub import Hub, Signal, first_of
from mizzen.server.limits import TooMany
from mizzen.server.modules import document
from mizzen.server.node import Node
from mizzen.server.registration import NotRegistered, Registrations
from mizzen.server.reports import parse

log = logging.getLogger(__name__)

POLL = 55.0
"""Seconds after which a long poll without news is answered."""
_REPORTS = 4096


class Agents:
    """``rotated`` is given when the roots change. ``identity_check``: an agent speaks for its own pod only (row XD-06)."""

    def __init__(
        self,
        issuer: Issuer,
        authenticator: Authenticator,
        hub: Hub,
        *,
        identity_check: bool = True,
        registrations: Registrations | None = None,
    ) -> None:
        self._issuer = issuer
        self._registrations = registrations
        self._authenticator = authenticator
        self._hub = hub
        self._identity_check = identity_check
        self.rotated = Signal()
        self.health: dict[str, dict[str, Any]] = {}

    def application(self) -> web.Application:
        app = web.Application(client_max_size=REQUEST_LIMIT)
        app.router.add_post("/agent/v1/certificate", self._certificate)
        app.router.add_get("/agent/v1/watch", self._watch)
        app.router.add_post("/agent/v1/modules", self._modules)
        app.router.add_post("/agent/v1/health", self._health)
        app.router.add_get("/ready", self._is_ready)
        return app

    async def _is_ready(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self._hub.current is not None else 503)

    async def _certificate(self, request: web.Request) -> web.Response:
        """{"csr": PEM, "ttl_seconds": n} -> {"cert_chain": [PEM, leaf first], "roots": [PEM]}."""
        body = await _json(request)
        csr, seconds = body.get("csr"), body.get("ttl_seconds", 0)
        if not isinstance(csr, str) or not isinstance(seconds, int) or isinstance(seconds, bool):
            return _refuse(400, 'a document {"csr": PEM, "ttl_seconds": number} is needed')
        try:
            issued = await self._issuer.issue(
                _certificate_of(request), request.headers.get("authorization", ""), csr, seconds, request.remote or ""
            )
        except TooMany:
            log.warning("too many certificate requests from %s", request.remote)
            return _refuse(429, "too many certificate requests of one caller")
        except Unauthenticated as error:
            log.warning("certificate request from %s: %s", request.remote, error)
            return _refuse(401, "authentication failed")
        except CsrRejected as error:
            log.warning("certificate request from %s: %s", request.remote, error.reason)
            return _refuse(400, error.reason)
        except SigningFailed as error:
            log.error("certificate request from %s: %s", request.remote, error)
            return _refuse(500, "no certificate can be signed now")
        return web.json_response(
            {
                "cert_chain": list(issued.leaf_and_intermediates),
                "roots": [issued.roots],
                "not_after": issued.not_after.timestamp(),
            }
        )

    async def _watch(self, request: web.Request) -> web.Response:
        """``?version=V``: answers {"version", "roots"} at once when V is not current, else when it changes or after a while.

        With ``node=ID`` (of the caller's own proxy) and ``metadata={…}`` (its node metadata) also "names", the table of
        :mod:`mizzen.server.names`, and at once too when that is not of version ``names=W``.
        """
        caller = await self._caller(request)
        node = self._node(request.query.get("node"), request.query.get("metadata") or "{}", caller)
        found = await self._news(node, (request.query.get("version", ""), request.query.get("names", "")))
        if found is None:
            return _refuse(503, "the names of this proxy cannot be made")
        answer = {"version": self._version, "roots": [self._issuer.authority.roots_pem]}
        if node is None:
            return web.json_response(answer)
        text = f'{json.dumps(answer)[:-1]}, "names": {names.text(found)}}}'
        return web.Response(text=text, content_type="application/json")

    async def _news(self, node: Node | None, seen: tuple[str, str]) -> ResourceSet | None:
        """What ``node`` has, as soon as that or the roots differ from ``seen``, or after a while; None when it cannot be built."""
        resources = ResourceSet() if node is None else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                while True:
                    # Armed before the look, so that nothing is lost between look and wait.
                    news = [self.rotated.wait(), self._hub.changed.wait()]
                    if node is not None:
                        resources = self._hub.resources_of(node) or resources
                    if resources is not None and seen != (self._version, names.version(resources)):
                        for wait in news:
                            wait.close()
                        return resources
                    await first_of(news)
        return resources

    async def _modules(self, request: web.Request) -> web.Response:
        """{"node", "boot", "version", "modules": {key: {"sha256"} or {"error"}}}: what the agent has of its modules.

        The answer is what it is to have, of another version than its own, or the same after a while
        (:mod:`mizzen.server.modules`).
        """
        caller = await self._caller(request)
        body = await _json(request)
        node = self._node(str(body.get("node", "")), json.dumps({"MIZZEN_BOOT": str(body.get("boot", ""))}), caller)
        if node is None:
            return _refuse(400, "node is missing")
        try:
            self._hub.report(node, parse(body.get("modules")))
        except ProtocolError as error:
            return _refuse(400, str(error))
        secrets = not self._identity_check or bool(node.account_of_pod(self._hub.config))
        answer = self._wanted(node, secrets)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                while answer["version"] == body.get("version"):
                    news = self._hub.changed.wait()
                    answer = self._wanted(node, secrets)
                    if answer["version"] == body.get("version"):
                        await news
                    else:
                        news.close()
        return web.json_response(answer)

    def _wanted(self, node: Node, secrets: bool) -> dict[str, Any]:
        config = self._hub.config
        return document(self._hub.modules(node), config, secrets=secrets) if config is not None else {"version": ""}

    def _node(self, written: str | None, metadata: str, caller: Caller) -> Node | None:
        """The proxy that the caller asks for. Raises HTTPBadRequest, or HTTPForbidden when it may not."""
        if not written:
            return None
        try:
            message = base_pb2.Node(id=written)
            json_format.Parse(metadata, message.metadata)
            node = Node.parse(message)
        except (json_format.ParseError, ProtocolError) as error:
            raise web.HTTPBadRequest(
                text=json.dumps({"error": f"node: {error}"}), content_type="application/json"
            ) from error
        other_pod = caller.pod and caller.pod != node.name
        if self._identity_check and (other_pod or not node.spoken_for_by(caller.identity, self._hub.config)):
            log.warning("%s may not speak for %s", caller.identity, node.id)
            raise web.HTTPForbidden(
                text='{"error": "this identity may not speak for this node"}', content_type="application/json"
            )
        return node

    @property
    def _version(self) -> str:
        return fingerprint(self._issuer.authority.roots_pem)

    async def _health(self, request: web.Request) -> web.Response:
        """{"pod": name, "ready": bool, "message": text}: kept as that pod's latest word.

        With ``node=ID&metadata={…}`` also the health of the workload entry of that proxy (row VM-04); 409 while there is none.
        """
        caller = await self._caller(request)
        node = self._node(request.query.get("node"), request.query.get("metadata") or "{}", caller)
        body = await _json(request)
        if node is not None and not await self._judge(node, caller, body):
            return _refuse(409, "this workload is not registered")
        pod = caller.pod or str(body.get("pod", ""))
        if len(self.health) >= _REPORTS:
            self.health.pop(next(iter(self.health)))
        self.health[f"{pod}.{caller.identity.namespace}"] = {
            "ready": body.get("ready") is True,
            "message": str(body.get("message", ""))[:1000],
            "at": time.time(),
        }
        return web.json_response({})

    async def _judge(self, node: Node, caller: Caller, body: dict[str, Any]) -> bool:
        """Whether the workload's entry has been told. Raises HTTPException."""
        if self._registrations is None:
            return False
        try:
            return await self._registrations.report(
                node, caller.identity, body.get("ready") is True, str(body.get("message", ""))
            )
        except NotRegistered as error:
            log.warning("%s may not report for %s: %s", caller.identity, node.id, error)
            raise web.HTTPForbidden(
                text='{"error": "this identity may not speak for this workload"}', content_type="application/json"
            ) from error
        except OSError as error:
            log.warning("the health of %s cannot be kept: %s", node.id, error)
            raise web.HTTPServiceUnavailable(
                text='{"error": "the entry cannot be written now"}', content_type="application/json"
            ) from error

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
