"""The debug API: what the control plane knows, as JSON (rows DBG-01, DBG-03, PO-11, PO-14).

On the Unix socket nobody is asked (its mode is 0600); on TCP, callers from loopback are free and others authenticate.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from mizzen import VERSION
from mizzen.api.meta import Duration, Object
from mizzen.errors import Unauthenticated
from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER, ENDPOINT, EXTENSION_CONFIG, LISTENER, ROUTE, SECRET
from mizzen.observe import Metrics
from mizzen.server.authenticate import Authenticator
from mizzen.server.hub import Connection, Hub
from mizzen.server.wait import built, wait

log = logging.getLogger(__name__)

LONGEST_WAIT = 600.0
_PAIRS = {
    CLUSTER: "cluster",
    LISTENER: "listener",
    ROUTE: "route",
    ENDPOINT: "endpoint",
    EXTENSION_CONFIG: "extensionconfig",
}
_OPEN = ("/ready", "/version", "/metrics", "/debug")
_NAMESPACES = web.RequestKey("namespaces", tuple[str, ...])
_HANDLER = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Debug:
    """``health`` gives the agents' latest reports."""

    def __init__(self, hub: Hub, metrics: Metrics, health: Callable[[], dict[str, Any]]) -> None:
        self._hub = hub
        self._metrics = metrics
        self._health = health

    def application(self, guard: Guard | None = None) -> web.Application:
        """With ``guard`` for TCP, without for the Unix socket."""
        app = web.Application(middlewares=[guard.middleware] if guard is not None else [])
        get: dict[str, _HANDLER] = {
            "/ready": self._ready,
            "/version": self._version,
            "/metrics": self._prometheus,
            "/debug": self._index,
            "/debug/syncz": self._syncz,
            "/debug/configz": self._configz,
            "/debug/registryz": self._registryz,
            "/debug/endpointz": self._endpointz,
            "/debug/endpointShardz": self._endpointz,
            "/debug/healthz": self._healthz,
            "/debug/networkz": self._networkz,
            "/debug/clusterz": self._clusterz,
        }
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
        paths = sorted(
            {resource.canonical for resource in request.app.router.resources() if "/debug/" in resource.canonical}
        )
        return _answer(request, paths)

    async def _syncz(self, request: web.Request) -> web.Response:
        namespaces = _namespaces(request)
        asked = request.query.get("namespace")
        connections = [
            connection
            for connection in self._hub.connections.values()
            if asked in (None, connection.node.namespace)
            and (namespaces is None or connection.node.namespace in namespaces)
        ]
        return _answer(request, [_sync(connection) for connection in sorted(connections, key=lambda c: c.node.id)])

    async def _configz(self, request: web.Request) -> web.Response:
        config = self._hub.config
        objects = [obj for of in (config.objects.values() if config is not None else ()) for obj in of.values()]
        return _answer(request, [_document(obj) for obj in objects if obj.kind != "Secret"])

    async def _registryz(self, request: web.Request) -> web.Response:
        snapshot = self._hub.current.snapshot if self._hub.current is not None else None
        return _answer(request, list(snapshot.services) if snapshot is not None else [])

    async def _endpointz(self, request: web.Request) -> web.Response:
        snapshot = self._hub.current.snapshot if self._hub.current is not None else None
        endpoints = snapshot.endpoints if snapshot is not None else {}
        return _answer(
            request,
            [
                {"namespace": namespace, "hostname": hostname, "port": port, "endpoints": list(of)}
                for (namespace, hostname, port), of in sorted(endpoints.items())
            ],
        )

    async def _clusterz(self, request: web.Request) -> web.Response:
        """The own cluster and the others, under Istio's keys (rows IX-22, MCL-01)."""
        config = self._hub.config
        if config is None:
            return _answer(request, [])
        others = [{"id": name, "secretName": r.secret, "syncStatus": r.status} for name, r in config.remotes.items()]
        return _answer(request, [{"id": config.cluster_id, "secretName": "", "syncStatus": "synced"}, *others])

    async def _networkz(self, request: web.Request) -> web.Response:
        """The gateways of the networks, under Istio's keys (row MN-02)."""
        snapshot = self._hub.current.snapshot if self._hub.current is not None else None
        gateways = snapshot.networks.gateways if snapshot is not None else ()
        return _answer(
            request,
            [{"Network": g.network, "Cluster": g.cluster, "Addr": g.address, "Port": g.port} for g in gateways],
        )

    async def _healthz(self, request: web.Request) -> web.Response:
        return _answer(request, self._health())

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
        connection = self._hub.connections.get(request.query.get("proxy", ""))
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


class Guard:
    """Who may look on TCP (row DBG-02): loopback free, others prove an identity; other namespaces see only their own."""

    def __init__(
        self, authenticator: Authenticator, root_namespace: str, allowed: tuple[str, ...], *, on: bool
    ) -> None:
        self._authenticator = authenticator
        self._all = {root_namespace, *allowed}
        self._on = on

    @property
    def middleware(self) -> Any:
        @web.middleware
        async def guard(request: web.Request, handler: _HANDLER) -> web.StreamResponse:
            if self._on and request.path not in _OPEN and not _from_loopback(request):
                identity = await self._identity(request)
                if identity.namespace not in self._all:
                    if request.path != "/debug/syncz":
                        raise web.HTTPForbidden(text="this namespace may not see that")
                    request[_NAMESPACES] = (identity.namespace,)
            return await handler(request)

        return guard

    async def _identity(self, request: web.Request) -> Identity:
        try:
            caller = await self._authenticator.caller(
                request.get_extra_info("peercert") or None, request.headers.get("authorization", "")
            )
        except Unauthenticated as error:
            log.warning("debug caller at %s: %s", request.remote, error)
            raise web.HTTPUnauthorized(text="authentication failed") from error
        return caller.identity


def _from_loopback(request: web.Request) -> bool:
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _namespaces(request: web.Request) -> tuple[str, ...] | None:
    return request.get(_NAMESPACES)


def _sync(connection: Connection) -> dict[str, Any]:
    """Istio's fields (row DBG-03), and per type what our own command line shows."""
    status = connection.session.status()
    entry: dict[str, Any] = {
        "proxy": connection.node.id,
        "proxy_type": connection.node.type.value,
        "cluster_id": str(connection.node.metadata.get("CLUSTER_ID", "Kubernetes")),
        "istio_version": str(connection.node.metadata.get("ISTIO_VERSION", "")),
        "version": str(connection.node.metadata.get("ISTIO_VERSION", "")),
        "connected_at": connection.since,
        "types": {
            url: {
                "sent_version": of.sent_version,
                "acked_version": of.acked_version,
                "status": of.state,
                "since": connection.moments.get(url, connection.since),
                "error": "\n".join(f"{name}: {reason}" for name, reason in of.errors.items()),
            }
            for url, of in status.items()
        },
        "resources": {
            url: {"sent": of.sent, "acked": of.acked, "lastError": "\n".join(of.errors.values())}
            for url, of in status.items()
        },
    }
    if SECRET in status:
        entry["secrets"] = sorted(connection.session.versions().get(SECRET, {}))
    for url, short in _PAIRS.items():
        if url in status and status[url].sent:
            entry[f"{short}_sent"], entry[f"{short}_acked"] = status[url].sent, status[url].acked
    return entry


def _document(obj: Object) -> dict[str, Any]:
    return {"kind": obj.kind, "metadata": obj.meta, "spec": obj.body}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Duration) else repr(value)


def _answer(request: web.Request, value: Any) -> web.Response:
    body = msgspec.json.encode(value, enc_hook=_plain)
    if "pretty" in request.query:
        body = json.dumps(json.loads(body), indent=2).encode()
    return web.Response(body=body, content_type="application/json")
