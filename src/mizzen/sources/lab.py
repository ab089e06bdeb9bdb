"""The supervisor's objects as a stream of Configs: list, then events, over ``STATE/run/sock``.

What is queued is taken at once, so that a burst of events costs one Config. When the connection breaks it is made
again, with growing pauses; until then the last Config stays in force.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from mizzen.api.meta import Origin
from mizzen.errors import ProtocolError
from mizzen.model.config import Config
from mizzen.sources.config import Assembly, Key, judge
from mizzen.sources.files import Document
from mizzen.sources.selection import EVERYTHING, Selection

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between attempts to connect; doubled after each failure."""

_log = logging.getLogger(__name__)


async def watch(
    socket: Path,
    domain: str = "cluster.local",
    cluster_id: str = "Kubernetes",
    mesh_maps: tuple[str, ...] = ("istio",),
    environment: Mapping[str, str] | None = None,
    selection: Selection = EVERYTHING,
) -> AsyncIterator[Config]:
    """Configs of the mesh behind ``socket``, the first as soon as the initial list is complete; without end.

    ``mesh_maps`` are the ConfigMaps with mesh config, the weaker first; ``environment`` is the control plane's,
    ``selection`` what it reads.
    ``Config.revision`` is the supervisor's latest revision that the Config contains.
    """
    state = _Watch(Assembly(domain, cluster_id, mesh_maps, environment, selection))
    pause = FIRST_PAUSE
    while True:
        try:
            async for config in _connection(socket, state):
                pause = FIRST_PAUSE
                yield config
            _log.warning("the supervisor closed the watch; connecting again")
        except (aiohttp.ClientError, OSError, ProtocolError) as error:
            _log.warning("no watch on %s: %s; next attempt in %.2f s", socket, error, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _connection(socket: Path, state: _Watch) -> AsyncIterator[Config]:
    state.begin()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    connector = aiohttp.UnixConnector(path=str(socket))
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
        session.get("http://lab/v1/objects", params={"watch": "1"}) as response,
    ):
        response.raise_for_status()
        rest = b""
        while data := await response.content.readany():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    state.event(line)
            if state.due:
                yield state.config()


class _Watch:
    """Turns event lines into Configs; knows no socket."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self.synced = self.due = False
        self.revision = 0
        self.listed: set[Key] = set()

    def begin(self) -> None:
        """A new listing begins: what it does not name will go once it is complete."""
        self.synced = self.due = False
        self.listed = set()

    def event(self, line: bytes) -> None:
        """Take one line in. Raises ProtocolError when it is no event."""
        try:
            event = json.loads(line)
            kind, raw = event["type"], event.get("object")
            self.revision = (
                max(self.revision, int(event.get("revision") or 0)) if self.synced else int(event["revision"])
            )
            document = Document(raw, _origin(event.get("origin")))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ProtocolError(f"not an event: {line[:200]!r}") from error
        if kind == "SYNCED":
            self.synced = True
            self.assembly.keep_only(self.listed)
        else:
            self._object(kind, document)
        self.due = self.synced

    def _object(self, kind: str, document: Document) -> None:
        judged = judge(document, mesh_maps=self.assembly.mesh_maps)
        if kind == "DELETED":
            self.assembly.remove(judged.key)
            self.listed.discard(judged.key)
        else:
            self.assembly.put(judged)
            self.listed.add(judged.key)

    def config(self) -> Config:
        self.due = False
        return self.assembly.config(self.revision)


def _origin(raw: Any) -> Origin:
    if not isinstance(raw, dict):
        return Origin("")
    return Origin(str(raw.get("file") or ""), int(raw.get("line") or 0))
