"""News of the control plane for this pod's agent, by long poll through Envoy (docs/adr/0010).

Envoy has the certificate, the TLS library and the roots already. It offers the one path of the control plane that the
agent needs on a Unix socket of mode 0600, so that the agent speaks plain HTTP.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from mizzen.agent.dns.names import packed
from mizzen.agent.http import BadMessage, fetch
from mizzen.agent.settings import Settings

PATH = "/agent/v1/watch"
PATIENCE = 90.0
"""Seconds for one poll; the control plane answers within a minute, news or not."""
FIRST_RETRY, FIRST_LAST_RETRY, LAST_RETRY = 0.1, 0.4, 5.0
LIMIT = 64 * 1024 * 1024
_TOLD = ("DNS_CAPTURE", "DNS_AUTO_ALLOCATE", "ENABLE_DNS_SERVER", "NETWORK", "CLUSTER_ID")
"""Node metadata that the table depends on, for a replica that Envoy is not connected to."""


class Watch:
    """``take`` is given each new table of names, its entries packed. What was given last stays in force when the control plane is away."""

    def __init__(
        self, settings: Settings, take: Callable[[dict[str, Any]], None], report: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._take = take
        self._report = report
        self._versions = {"version": "", "names": ""}
        self._jitter = random.SystemRandom()

    async def keep(self) -> None:
        """Ask for ever."""
        delay, told = FIRST_RETRY, False
        while True:
            try:
                await self.once()
                delay, told = FIRST_RETRY, False
            except (OSError, BadMessage, TimeoutError, ValueError) as error:
                if not told and self._versions["names"]:
                    self._report(f"no news of names: {str(error) or type(error).__name__}; those of before stay")
                    told = True
                await asyncio.sleep(delay * self._jitter.uniform(0.5, 1.5))
                # Until the first table nothing resolves in the pod, and asking Envoy costs nothing.
                delay = min(delay * 2, LAST_RETRY if self._versions["names"] else FIRST_LAST_RETRY)

    async def once(self) -> None:
        """One poll. Raises OSError, BadMessage, TimeoutError or ValueError when it brings nothing."""
        settings = self._settings
        metadata = {"CLUSTER_ID": settings.cluster_id, **settings.node_metadata}
        told = {name: metadata[name] for name in _TOLD if name in metadata}
        query = urlencode({"node": settings.node_id, "metadata": json.dumps(told), **self._versions})
        async with asyncio.timeout(PATIENCE):
            answer = await fetch(
                settings.discovery[0], 443, f"{PATH}?{query}", unix=str(settings.watch_path), limit=LIMIT
            )
        if answer.status != 200:
            raise BadMessage(f"the control plane answers {answer.status}")
        found = json.loads(answer.body, object_hook=packed)
        names = found["names"] if isinstance(found, dict) and isinstance(found.get("names"), dict) else None
        if names is None or not isinstance(names.get("table"), dict):
            raise BadMessage("no names in the control plane's answer")
        if str(names.get("version", "")) != self._versions["names"]:
            self._take(names["table"])
        self._versions = {"version": str(found.get("version", "")), "names": str(names.get("version", ""))}
