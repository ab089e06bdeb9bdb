"""The health of a machine's application: probed here, told to the control plane, which keeps it in the WorkloadEntry.

Rows AG-13, VM-04. The report goes through Envoy, as the long poll does (docs/adr/0010).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from mizzen.agent.http import BadMessage, fetch
from mizzen.agent.settings import Settings

PATH = "/agent/v1/health"
REPEAT = 15.0
"""Seconds after which the last word is said again: an entry that was made anew knows nothing of it."""
PATIENCE = 10.0
FIRST_RETRY, LAST_RETRY = 0.2, 5.0
_TOLD = ("NAMESPACE", "AUTO_REGISTER_GROUP", "WORKLOAD_ENTRY", "NETWORK", "INSTANCE_IPS")
"""Node metadata that names the entry."""


class Thresholds:
    """Turns single looks into a verdict, which changes after so many of the other kind in a row."""

    def __init__(self, probe: dict[str, Any]) -> None:
        self._needed = {
            True: int(probe.get("successThreshold") or 1),
            False: int(probe.get("failureThreshold") or 1),
        }
        self._last: bool | None = None
        self._count = 0
        self.verdict: bool | None = None

    def take(self, well: bool) -> bool:
        """Whether this look changes the verdict."""
        self._count = self._count + 1 if well == self._last else 1
        self._last = well
        if self._count < self._needed[well] or self.verdict == well:
            return False
        self.verdict = well
        return True


class Health:
    """``why_not`` looks once: empty when all is well. ``probe`` holds the times (seconds) and thresholds."""

    def __init__(
        self,
        settings: Settings,
        probe: dict[str, Any],
        why_not: Callable[[], Awaitable[str]],
        report: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._delay = float(probe.get("initialDelaySeconds") or 0)
        self._period = float(probe.get("periodSeconds") or 10)
        self._thresholds = Thresholds(probe)
        self._why_not = why_not
        self._report = report
        self._word: tuple[bool, str] | None = None
        self._changed = asyncio.Event()

    async def keep(self) -> None:
        """Probe and tell for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._probe())
            group.create_task(self._tell())

    async def _probe(self) -> None:
        await asyncio.sleep(self._delay)
        while True:
            reason = await self._why_not()
            if self._thresholds.take(not reason):
                self._word = (not reason, reason)
                self._report(f"the application is not healthy: {reason}" if reason else "the application is healthy")
                self._changed.set()
            await asyncio.sleep(self._period)

    async def _tell(self) -> None:
        pause, reported = FIRST_RETRY, False
        while True:
            if self._word is None:
                await self._changed.wait()
            self._changed.clear()
            problem = await self._problem()
            # Not at once: a machine that starts is not registered yet.
            if problem and pause >= LAST_RETRY and not reported:
                self._report(f"nobody takes the application's health: {problem}; it is said until somebody does")
            reported = bool(problem) and (reported or pause >= LAST_RETRY)
            wait, pause = (pause, min(2 * pause, LAST_RETRY)) if problem else (REPEAT, FIRST_RETRY)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)

    async def _problem(self) -> str:
        """Why the last word did not arrive; empty when it did."""
        try:
            await self.tell()
        except (OSError, BadMessage, TimeoutError) as error:
            return str(error) or type(error).__name__
        return ""

    async def tell(self) -> None:
        """Say the last word once. Raises OSError, BadMessage or TimeoutError when nobody took it."""
        settings = self._settings
        ready, message = self._word or (False, "not looked at yet")
        metadata = {"NAMESPACE": settings.namespace, "INSTANCE_IPS": settings.instance_ip, **settings.node_metadata}
        told = {name: metadata[name] for name in _TOLD if name in metadata}
        query = urlencode({"node": settings.node_id, "metadata": json.dumps(told)})
        body = json.dumps({"pod": settings.pod_name, "ready": ready, "message": message}).encode()
        async with asyncio.timeout(PATIENCE):
            answer = await fetch(
                settings.discovery[0],
                443,
                f"{PATH}?{query}",
                method="POST",
                headers={"Content-Type": "application/json"},
                body=body,
                unix=str(settings.watch_path),
            )
        if answer.status != 200:
            raise BadMessage(f"the control plane answers {answer.status}")
