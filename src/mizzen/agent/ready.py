"""Is Envoy ready? It has had its first configuration and serves (row AG-05)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mizzen.agent.http import BadMessage, fetch

_FILTER = (
    "^(cluster_manager\\.cds|listener_manager\\.lds)\\.(update_success|update_rejected)$"
    "|^listener_manager\\.workers_started$|^server\\.state$"
)
QUERY = f"/stats?usedonly&filter={_FILTER}"


class Readiness:
    """Asks Envoy's admin port; what was once true stays true, so a later reload does not take the pod out."""

    def __init__(self, admin_port: int) -> None:
        self._port = admin_port
        self._configured = False
        self._live = False
        self._complete = False
        self.stopping = False
        self.lacks: Callable[[], str] = str
        """What else has to be there before the pod is ready for the first time; empty for nothing."""

    async def why_not(self) -> str:
        """Empty when ready, else what is missing."""
        if self.stopping:
            return "the agent is shutting down"
        if self._complete:
            return ""
        if self._configured and self._live:
            return self._rest()
        try:
            async with asyncio.timeout(2):
                answer = await fetch("127.0.0.1", self._port, QUERY)
        except (OSError, BadMessage, TimeoutError) as error:
            return f"envoy does not answer: {error}"
        return self.judge(parse(answer.body.decode("latin-1")))

    def judge(self, stats: dict[str, int]) -> str:
        """Update from Envoy's stats; empty when ready."""
        cds, lds = (
            stats.get("cluster_manager.cds.update_success", 0),
            stats.get("listener_manager.lds.update_success", 0),
        )
        self._configured = self._configured or (cds > 0 and lds > 0)
        live = stats.get("server.state") == 0 and stats.get("listener_manager.workers_started") == 1
        self._live = self._live or live
        if not self._configured:
            refused = [
                name for name in ("cluster_manager.cds", "listener_manager.lds") if stats.get(f"{name}.update_rejected")
            ]
            text = f"config not received: cds updates {cds}, lds updates {lds}"
            return f"{text}; refused: {', '.join(refused)}" if refused else text
        return self._rest() if self._live else "envoy is not live yet"

    def _rest(self) -> str:
        reason = self.lacks()
        self._complete = not reason
        return reason


def parse(text: str) -> dict[str, int]:
    """Envoy's ``/stats`` lines, numbers only."""
    found = {}
    for line in text.splitlines():
        name, colon, value = line.partition(": ")
        if colon and value.isdigit():
            found[name] = int(value)
    return found
