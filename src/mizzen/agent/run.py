"""``proxy sidecar|router``: certificate, Envoy and the status port under one TaskGroup, until SIGTERM or Envoy's end."""

from __future__ import annotations

import mizzen.agent.lean  # isort: skip  # noqa: F401 - before asyncio

import asyncio
import json
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from mizzen.agent.app_probe import AppProbe
from mizzen.agent.certificate import Rotation
from mizzen.agent.debug import Debug
from mizzen.agent.dns.proxy import DnsProxy
from mizzen.agent.external import External
from mizzen.agent.health import Health
from mizzen.agent.http import connection
from mizzen.agent.metrics import Metrics
from mizzen.agent.mounted import Mounted
from mizzen.agent.probes import Probes
from mizzen.agent.ready import Readiness
from mizzen.agent.roots import Roots
from mizzen.agent.settings import Settings
from mizzen.agent.status import Status
from mizzen.agent.supervise import Envoy, NoEnvoy
from mizzen.agent.wasm.modules import Modules
from mizzen.agent.watch import Watch


def report(text: str, *, as_json: bool = False) -> None:
    """One line of the agent's log (row AG-17)."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if as_json:
        sys.stderr.write(json.dumps({"level": "info", "time": now, "scope": "agent", "msg": text}) + "\n")
    else:
        sys.stderr.write(f"{now}\tinfo\tagent\t{text}\n")


_NOT_READY = 0.2
"""Seconds between two looks at an Envoy that starts."""


class Agent:
    """One pod's agent."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._report = partial(report, as_json=settings.log_as_json)
        self._rotation: Rotation | Mounted | External
        if settings.external_path is not None:
            self._rotation = External(settings.external_path, settings.node_id, settings.sds_path, self._report)
            self._roots = None
        elif settings.mounted_path is not None:
            self._rotation = Mounted(settings.mounted_path, settings.sds_path, self._report)
            self._roots = None
        else:
            self._rotation = Rotation(settings, self._report)
            secret = settings.sds_path / "ROOTCA.json"
            self._roots = Roots(settings.root_cert_path, settings.revoked_path, secret, self._rotation.renew_soon)
        self._envoy = Envoy(settings, self._report)
        self._readiness = Readiness(settings.admin_port)
        self._dns = DnsProxy(settings, self._report) if settings.dns_proxy else None
        self._stop = asyncio.Event()
        self._gently = True

    async def run(self) -> int:
        """Live until told to end; the answer is the exit code, Envoy's own when Envoy ended by itself."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, True)
        dns = self._dns.counters.text if self._dns is not None else str
        metrics = Metrics(self._settings, lambda: self._rotation.expires, dns)
        debug = Debug(self._dns.document if self._dns is not None else None)
        status = Status(self._readiness, metrics, Probes(self._settings), debug, lambda: self._end(False), self._drain)
        # Not both families at once: where IPv6 is switched off, binding its wildcard fails.
        host = "::" if ":" in self._settings.instance_ip else "0.0.0.0"  # noqa: S104 - the kubelet comes from outside
        server = await asyncio.start_server(
            lambda r, w: connection(status.handle, r, w), host, self._settings.status_port
        )
        self._report(f"{self._settings.node_id}: status port {self._settings.status_port}")
        try:
            return await self._live()
        finally:
            server.close()
            self._envoy.kill()

    async def _live(self) -> int:
        async with asyncio.TaskGroup() as group:
            aside = []
            if self._dns is not None:
                # From the first moment: captured questions have nowhere else to go.
                watch = Watch(self._settings, self._dns.take, self._report)
                aside = [group.create_task(self._dns.serve()), group.create_task(watch.keep())]
            try:
                return await self._serve(group)
            finally:
                for task in aside:
                    task.cancel()

    async def _serve(self, group: asyncio.TaskGroup) -> int:
        first = group.create_task(self._rotation.first())
        stop = group.create_task(self._stop.wait())
        await asyncio.wait((first, stop), return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            first.cancel()
            return 0
        await self._envoy.start()
        keep = group.create_task(self._rotation.keep())
        aside = [keep] if self._roots is None else [keep, group.create_task(self._roots.keep())]
        if self._settings.health_probe is not None:
            aside.append(group.create_task(self._check_application(self._settings.health_probe)))
        if self._settings.wasm is not None:
            modules = Modules(self._settings, self._settings.wasm, self._report)
            self._readiness.lacks = modules.missing
            aside.append(group.create_task(modules.keep()))
        ended = group.create_task(self._envoy.wait())
        await asyncio.wait((ended, stop), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done() and self._gently:
            await self._leave(group, ended)
        self._envoy.kill()
        code = await ended
        for task in aside:
            task.cancel()
        stop.cancel()
        if self._readiness.stopping:
            return 0
        self._report(f"envoy ended by itself, code {code}")
        return code

    async def _check_application(self, probe: dict[str, Any]) -> None:
        """For ever, as soon as Envoy is ready: nobody could reach the application before (row VM-04)."""
        while True:
            if not await self._readiness.why_not():
                break
            await asyncio.sleep(_NOT_READY)
        app = AppProbe(probe, self._settings.instance_ip)

        async def why_not() -> str:
            return await self._readiness.why_not() or await app.why_not()

        await Health(self._settings, probe, why_not, self._report).keep()

    async def _leave(self, group: asyncio.TaskGroup, ended: asyncio.Task[int]) -> None:
        draining = group.create_task(self._envoy.drain_for_exit())
        await asyncio.wait((draining, ended), return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()

    async def _drain(self) -> None:
        self._report("draining")
        await self._envoy.drain()

    def _end(self, gently: bool) -> None:
        self._gently = gently and self._gently
        self._readiness.stopping = True
        self._report("ending, after draining" if gently else "ending at once")
        self._stop.set()


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def run(settings: Settings) -> int:
    """Block until the agent's end."""

    async def whole() -> int:
        return await Agent(settings).run()

    try:
        return asyncio.run(whole())
    except* (NoEnvoy, OSError) as group:
        for error in _leaves(group):
            report(f"error: {error}", as_json=settings.log_as_json)
    return 1
