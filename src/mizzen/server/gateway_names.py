"""Looks up the names under which gateways of networks are known: proxies are given addresses alone (row MN-02)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

REFRESH = 30.0
"""Seconds after which a name is looked up again."""
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0
"""Seconds until a failed look-up is tried again; doubled after each failure."""

Lookup = Callable[[str], Awaitable[tuple[str, ...]]]
"""The addresses of a name; raises OSError when there are none, ValueError when it cannot be a name."""


@dataclass
class _Entry:
    due: float = 0.0
    pause: float = FIRST_RETRY
    asked: bool = False


async def lookup(name: str) -> tuple[str, ...]:
    """By the machine's resolver, of both families, sorted."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple(sorted({str(address[0]) for _, _, _, _, address in found}))


class GatewayNames:
    """The addresses of the names that are wanted. ``changed`` is called whenever ``current`` is another mapping.

    A name whose look-up fails keeps the addresses that it had.
    """

    def __init__(self, changed: Callable[[], None], look_up: Lookup = lookup) -> None:
        self.current: Mapping[str, tuple[str, ...]] = {}
        self._changed = changed
        self._look_up = look_up
        self._entries: dict[str, _Entry] = {}
        self._wake = asyncio.Event()

    def want(self, names: Iterable[str]) -> None:
        """From now on keep the addresses of these names, and forget the others."""
        wanted = set(names)
        self._entries = {name: self._entries.get(name) or _Entry() for name in sorted(wanted)}
        if any(entry.due == 0 for entry in self._entries.values()):
            self._wake.set()

    async def run(self) -> None:
        """Look up what is due, for ever. A slow name delays no other."""
        clock = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as lookups:
            while True:
                now = clock()
                for name, entry in self._entries.items():
                    if entry.due <= now and not entry.asked:
                        entry.asked = True
                        lookups.create_task(self._one(name, entry))
                await self._sleep()

    async def _one(self, name: str, entry: _Entry) -> None:
        now = asyncio.get_running_loop().time()
        try:
            found = await self._look_up(name)
        except (OSError, ValueError) as error:
            log.warning("the gateway %s has no address: %s; next attempt in %g s", name, error, entry.pause)
            entry.due, entry.pause = now + entry.pause, min(entry.pause * 2, LONGEST_RETRY)
            self._publish({})
        else:
            entry.due, entry.pause = now + REFRESH, FIRST_RETRY
            self._publish({name: found})
        entry.asked = False
        self._wake.set()  # when it is due again is known now

    def _publish(self, new: Mapping[str, tuple[str, ...]]) -> None:
        known = {**self.current, **new}
        found = {name: known[name] for name in self._entries if name in known}
        if found != self.current:
            self.current = found
            self._changed()

    async def _sleep(self) -> None:
        """Until the next look-up is due, one has ended or another name is wanted."""
        now = asyncio.get_running_loop().time()
        due = min((entry.due for entry in self._entries.values() if not entry.asked), default=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(due - now, 0.0)):
                await self._wake.wait()
        self._wake.clear()
