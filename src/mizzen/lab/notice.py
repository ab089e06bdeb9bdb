"""A pod is about to end: its clients are told first, so that nobody calls a program that has gone.

In Kubernetes the removal of an endpoint and SIGTERM race, and people put a sleep before the end. Here the control plane
can be asked whether every proxy knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

SHORTEST_SECONDS = 1.0
"""Also for clients without a proxy, which ask the cluster's DNS or call the service's address."""
LONGEST_SECONDS = 5.0
_ROUND_SECONDS = 0.25
_ROUND_GRACE = 2.0


async def give(socket: Path, revision: Callable[[], int], grace: float) -> None:
    """Returns when every proxy that listens knows what the store has now, at the latest after ``grace`` seconds.

    ``socket`` is the control plane's debug socket, ``revision`` tells the store's. Without a control plane nobody can be
    told, and nobody is waited for.
    """
    await asyncio.sleep(min(SHORTEST_SECONDS, grace))
    wanted = revision()
    try:
        async with asyncio.timeout(max(0.0, min(LONGEST_SECONDS, grace) - SHORTEST_SECONDS)):
            connector = aiohttp.UnixConnector(path=str(socket))
            async with aiohttp.ClientSession(connector=connector) as session:
                while not await _known(session, wanted):
                    pass
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
        return


async def _known(session: aiohttp.ClientSession, revision: int) -> bool:
    """Whether nobody is left who could still learn of it. Takes a moment when somebody is."""
    asked = {"revision": str(revision), "timeout": str(_ROUND_SECONDS)}
    limit = aiohttp.ClientTimeout(total=_ROUND_SECONDS + _ROUND_GRACE)
    async with session.get("http://controlplane/v1/wait", params=asked, timeout=limit) as response:
        response.raise_for_status()
        told = await response.json()
    return bool(told["done"]) or _hopeless(told)


def _hopeless(told: dict[str, Any]) -> bool:
    """Whether the others of those concerned are not there, or refuse what they are sent."""
    if not told["concerned"]:
        return False
    others = {*told["acked"], *told["disconnected"], *(entry["proxy"] for entry in told["refused"])}
    return set(told["concerned"]) <= others
