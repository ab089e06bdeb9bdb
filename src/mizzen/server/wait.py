"""Has a change arrived? What ``--wait`` asks (product page, "The command line")."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from mizzen.model.resources import SHORT_NAMES
from mizzen.server.hub import Connection, Hub, first_of
from mizzen.xds import Progress

SETTLE = 0.03
"""Seconds after the last acknowledgement in which Envoy may still ask for what a new listener needs."""
PACE = 0.01
"""Seconds between two looks at all sessions."""


@dataclass
class Verdict:
    """``refused`` has proxy, type, resource and Envoy's reason; ``disconnected`` are concerned and not there."""

    snapshot: int
    done: bool = False
    concerned: list[str] = field(default_factory=list)
    acked: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    disconnected: list[str] = field(default_factory=list)
    error: str = ""
    """Why the newest configuration could not be turned into resources, empty if it could."""

    def document(self) -> dict[str, Any]:
        return {
            "snapshot": self.snapshot,
            "done": self.done,
            "concerned": sorted(self.concerned),
            "acked": sorted(self.acked),
            "refused": sorted(self.refused, key=lambda entry: (entry["proxy"], entry["type"], entry["resource"])),
            "disconnected": sorted(self.disconnected),
            "error": self.error,
        }


async def wait(hub: Hub, revision: int, seconds: float) -> Verdict:
    """Until every concerned proxy has acknowledged ``revision``, or for ``seconds``."""
    verdict = Verdict(0)
    try:
        async with asyncio.timeout(seconds):
            while not (verdict := judge(hub, revision)).done:
                await _next(hub)
            await asyncio.sleep(SETTLE)
            while not (verdict := judge(hub, revision)).done:
                await _next(hub)
    except TimeoutError:
        verdict = judge(hub, revision)
    return verdict


async def arrived(hub: Hub, number: int, seconds: float) -> bool:
    """Whether every connected proxy has acknowledged what snapshot ``number`` changed, within ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            while not all(
                hub.left(c) or (c.session.progress(number).done and not hub.returning(c))
                for c in hub.connections.values()
            ):
                await _next(hub)
    except TimeoutError:
        return False
    return True


async def built(hub: Hub, revision: int, seconds: float) -> bool:
    """Whether there is a snapshot with ``revision`` in it, within ``seconds``. What the proxies make of it does not matter."""
    try:
        async with asyncio.timeout(seconds):
            while hub.number_of(revision) is None:
                await hub.changed.wait()
    except TimeoutError:
        return False
    return True


async def _next(hub: Hub) -> None:
    """The next event, but not more often than the pace."""
    await first_of((hub.changed.wait(), hub.progressed.wait()))
    await asyncio.sleep(PACE)


def judge(hub: Hub, revision: int) -> Verdict:
    """How things stand now."""
    number = hub.number_of(revision)
    if number is None:
        return Verdict(0, error=hub.error)
    verdict, unfinished = Verdict(number, error=hub.error), False
    for proxy, connection in hub.connections.items():
        if hub.left(connection):
            continue
        progress = connection.session.progress(number)
        unfinished |= not progress.done or hub.returning(connection)
        unfinished |= progress.concerned and hub.fetching(connection)
        _note(verdict, proxy, progress)
    for connection in hub.absent.values():
        progress = _absent(hub, connection, number)
        if progress.concerned and progress.pending:
            verdict.concerned.append(connection.node.id)
            verdict.disconnected.append(connection.node.id)
            unfinished = True
    verdict.done = not unfinished
    return verdict


def _note(verdict: Verdict, proxy: str, progress: Progress) -> None:
    if not progress.concerned:
        return
    verdict.concerned.append(proxy)
    for (type_url, name), reason in progress.refused.items():
        verdict.refused.append(
            {"proxy": proxy, "type": SHORT_NAMES.get(type_url, type_url), "resource": name, "reason": reason}
        )
    if progress.done and not progress.refused:
        verdict.acked.append(proxy)


def _absent(hub: Hub, connection: Connection, number: int) -> Progress:
    """Would the change concern a proxy that is not there? Its session is shown the newest snapshot; nothing is sent."""
    if connection.session.snapshot < number and hub.current is not None:
        resources = hub.resources(connection, hub.current)
        if resources is not None:
            connection.session.offer(resources, hub.current.number)
    return connection.session.progress(number)
