"""What answers on 15020 (row PO-06): readiness, metrics, the app's probes, and two ways to end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mizzen.agent.bootstrap import ENVOY_STATS_PATH
from mizzen.agent.debug import Debug
from mizzen.agent.http import Request, Response
from mizzen.agent.metrics import Metrics
from mizzen.agent.probes import Probes
from mizzen.agent.ready import Readiness


class Status:
    """``quit`` ends the agent without draining (row AG-10), ``drain`` drains and lets a later SIGTERM end it at once (AG-06)."""

    def __init__(
        self,
        readiness: Readiness,
        metrics: Metrics,
        probes: Probes,
        debug: Debug,
        quit_now: Callable[[], None],
        drain: Callable[[], Awaitable[None]],
    ) -> None:
        self._readiness = readiness
        self._metrics = metrics
        self._probes = probes
        self._debug = debug
        self._quit = quit_now
        self._drain = drain

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path.startswith(("/app-health/", "/app-lifecycle/")):
            return await self._probes.relay(request)
        if request.path in ("/quitquitquit", "/drain"):
            return await self._command(request)
        if request.path in ("/stats/prometheus", "/metrics"):
            return await self._metrics.merged(request)
        if request.path == ENVOY_STATS_PATH:
            return await self._metrics.envoy(request)
        if request.path == "/healthz/ready":
            reason = await self._readiness.why_not()
            return Response(503, f"{reason}\n".encode()) if reason else Response(200)
        if request.path.startswith("/debug/"):
            return await self._debug.handle(request)
        return Response(404)

    async def _command(self, request: Request) -> Response:
        if not request.from_localhost:
            return Response(403, b"only from localhost\n")
        if request.method != "POST":
            return Response(405, b"only POST\n")
        if request.path == "/quitquitquit":
            self._quit()
        else:
            await self._drain()
        return Response(200, b"ok\n")
