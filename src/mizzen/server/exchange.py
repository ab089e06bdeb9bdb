"""Who must know when the CA is another one, and what may make it another (rows CR-03, CR-04, CR-06)."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

from mizzen.server.agents import Agents
from mizzen.server.ca import Issuer, utc_now
from mizzen.server.hub import Hub
from mizzen.server.serving import Serving
from mizzen.server.trust import Trust

LOOK = 1.0
"""Seconds between two looks at the files of the control plane's own certificate."""


class Exchange:
    """``check`` is how often a self-signed root's age is looked at; zero or less: never."""

    def __init__(
        self, hub: Hub, trust: Trust, serving: Serving, issuer: Issuer, agents: Agents, check: timedelta
    ) -> None:
        self._hub = hub
        self._trust = trust
        self._serving = serving
        self._issuer = issuer
        self._agents = agents
        self._check = check.total_seconds()

    async def follow(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_config())
            group.create_task(self._follow_files())
            if self._check > 0:
                group.create_task(self._follow_age())

    async def _follow_config(self) -> None:
        while True:
            waiting = self._hub.changed.wait()
            if self._hub.config is not None and self._trust.look(self._hub.config):
                self._tell()
            await waiting

    async def _follow_files(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._serving.look()

    async def _follow_age(self) -> None:
        # Replicas that started together do not all renew at once.
        await asyncio.sleep(random.SystemRandom().uniform(0, self._check))
        while True:
            if self._trust.renew(utc_now()):
                self._tell()
            await asyncio.sleep(self._check)

    def _tell(self) -> None:
        self._serving.follow(self._trust.authority)
        self._issuer.authority = self._trust.authority
        self._agents.rotated.give()
