"""Small servers on loopback, and requests as they reach the agent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from mizzen.agent.http import Handler, Request, connection
from mizzen.agent.probes import Probes
from mizzen.agent.settings import Settings


@contextlib.asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[int]:
    """The port of a server that answers with ``handler``."""
    server = await asyncio.start_server(lambda r, w: connection(handler, r, w), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def get(path: str, peer: str = "127.0.0.1", method: str = "GET", **headers: str) -> Request:
    """A request of ``peer``."""
    return Request(method, path, "", headers, b"", peer)


def probes(**probers: Any) -> Probes:
    """The relay of a pod with these probes of its container web."""
    return Probes(
        Settings(instance_ip="127.0.0.1", app_probers={f"/app-health/web/{n}": v for n, v in probers.items()})
    )
