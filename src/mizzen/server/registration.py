"""Workloads that register themselves, machines say: their WorkloadEntries come with their stream and go after it.

Rows WE-06, VM-03, VM-04. The store behind :class:`Entries` is the truth; nothing is decided by what the snapshot says
of an entry, which is always a moment old.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from mizzen.api.decode import decode
from mizzen.check import refused, validate
from mizzen.errors import MeshError
from mizzen.model.config import Config
from mizzen.model.identity import Identity
from mizzen.observe import Metrics
from mizzen.resolve import registration as made
from mizzen.server.node import Node

log = logging.getLogger(__name__)

Raw = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name of an entry."""
FRESH = timedelta(minutes=30)
"""How often the entry of a proxy that stays connected is marked anew; one and a half of it without a mark: left over."""
_FIRST_RETRY, _LAST_RETRY = 0.2, 10.0


class Entries(Protocol):
    """WorkloadEntries where they are kept. Every method raises OSError when that cannot be reached."""

    async def get(self, namespace: str, name: str) -> Raw | None:
        """The entry as it is now."""

    async def create(self, entry: Raw) -> None:
        """Store a new one; one of this name that appeared meanwhile stays."""

    async def change(self, entry: Raw, patch: Raw) -> None:
        """Merge ``patch`` (RFC 7386) into it, unless it is gone (by uid)."""

    async def delete(self, entry: Raw) -> None:
        """Remove it, unless another of its name took its place (by uid)."""


class NotRegistered(MeshError):
    """This proxy may not have the entry it asks for, or it cannot be written; the text is safe to send."""


class NoGroup(NotRegistered):
    """The WorkloadGroup is not there (yet)."""


@dataclass(eq=False)
class Registration:
    """One stream's hold on an entry. ``since`` is when it was marked last."""

    key: Key
    since: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Named after Istio's variables (row VM-03)."""

    registers: bool = True
    checks: bool = True
    validates: bool = True
    grace: timedelta = timedelta(seconds=10)


class Registrations:
    """``controller`` is this control plane's name in annotations, ``now`` the clock."""

    def __init__(
        self,
        entries: Entries,
        config: Callable[[], Config | None],
        rules: Rules,
        controller: str,
        metrics: Metrics,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._entries = entries
        self._config = config
        self._rules = rules
        self._controller = controller
        self._metrics = metrics
        self._now = now
        self._started = now()
        self._held: defaultdict[Key, set[Registration]] = defaultdict(set)
        self._gone: asyncio.Queue[Registration] = asyncio.Queue()
        self._writing = asyncio.Lock()

    async def connect(self, node: Node, identity: Identity | None) -> Registration | None:
        """Give a proxy that has come its entry, if it wants one. Raises NotRegistered."""
        group, name = node.registration_group, node.entry_name
        if not name or not (self._rules.registers if group else self._rules.checks):
            return None
        async with self._writing:
            try:
                return await self._connect(node, identity, (node.namespace, name), group)
            except OSError as error:
                self._metrics.registration_errors.inc()
                log.warning("the entry of %s cannot be written: %s", node.id, error)
                raise NotRegistered("the entry of this workload cannot be written now") from error
            except NotRegistered:
                self._metrics.registration_errors.inc()
                raise

    async def _connect(self, node: Node, identity: Identity | None, key: Key, group: str) -> Registration | None:
        entry = await self._entries.get(*key)
        fresh = entry is None
        if entry is None:
            if not group:
                raise NotRegistered(f"the WorkloadEntry {key[0]}/{key[1]} of this proxy does not exist")
            entry = self._made(node, group)
        elif not group and not made.checked(entry):
            return None
        self._may_hold(identity, entry)
        held = Registration(key, made.moment(self._now()))
        try:
            await self._claim(entry, held.since, fresh)
        except BaseException:
            # It may have been written all the same.
            self._gone.put_nowait(held)
            raise
        self._held[key].add(held)
        return held

    async def _claim(self, entry: Raw, since: str, fresh: bool) -> None:
        if not fresh:
            await self._entries.change(entry, made.claimed(self._controller, since))
            return
        entry["metadata"]["annotations"] |= {made.CONTROLLER: self._controller, made.CONNECTED: since}
        await self._entries.create(entry)
        self._metrics.registrations.inc()
        log.info("registered WorkloadEntry %s/%s", entry["metadata"]["namespace"], entry["metadata"]["name"])

    def _made(self, node: Node, group: str) -> Raw:
        config = self._config()
        found = config.of("WorkloadGroup").get((node.namespace, group)) if config is not None else None
        if found is None:
            raise NoGroup(f"there is no WorkloadGroup {node.namespace}/{group}")
        if not made.is_name(node.entry_name):
            raise NotRegistered(f"an entry cannot be called {node.entry_name!r}")
        entry = made.entry_of(found, node.registrant)
        decoded = decode(entry)
        problems = [problem.message for problem in decoded.problems if problem.fatal]
        if decoded.object is not None and refused(findings := validate(decoded.object)):
            problems += [finding.message for finding in findings]
        if problems:
            raise NotRegistered(f"the entry of this workload would not be valid: {problems[0]}")
        return entry

    def _may_hold(self, identity: Identity | None, entry: Raw) -> None:
        """An entry is its own namespace's and service account's. Raises NotRegistered."""
        if not self._rules.validates:
            return
        if identity is None:
            raise NotRegistered("a workload entry wants a proved identity")
        account = str((entry.get("spec") or {}).get("serviceAccount") or "")
        if identity.namespace != entry["metadata"]["namespace"] or account not in ("", identity.service_account):
            raise NotRegistered("this identity may not have this workload entry")

    def disconnect(self, held: Registration | None) -> None:
        """The stream of a registration has ended."""
        if held is not None:
            self._release(held)
            self._gone.put_nowait(held)

    def _release(self, held: Registration) -> None:
        streams = self._held.get(held.key, set())
        streams.discard(held)
        if not streams:
            self._held.pop(held.key, None)

    async def report(
        self, node: Node, identity: Identity | None, healthy: bool, message: str, held: Registration | None = None
    ) -> bool:
        """The health of the application beside ``node``; False when there is no entry yet that it could be told of.

        With ``held`` it came on that stream, and counts only while that stream is the entry's latest. Raises OSError,
        or NotRegistered when the caller may not speak for the entry.
        """
        if not self._rules.checks or not node.entry_name:
            return False
        async with self._writing:
            entry = await self._entries.get(node.namespace, node.entry_name)
            if entry is None:
                return False
            self._may_hold(identity, entry)
            stale = held is not None and made.annotations_of(entry).get(made.CONTROLLER) != self._controller
            if stale or not made.checked(entry):
                return True
            patch = made.judged(entry, healthy, message[:1000], made.moment(self._now()))
            if patch is not None:
                await self._entries.change(entry, patch)
                word = "healthy" if healthy else "not healthy"
                log.info("WorkloadEntry %s/%s is %s", node.namespace, node.entry_name, word)
            return True

    async def run(self) -> None:
        """Do what follows on departures. For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep())
            while True:
                group.create_task(self._follow(await self._gone.get()))

    async def _follow(self, held: Registration) -> None:
        at = made.moment(self._now())
        if await self._until_done(lambda: self._mark_gone(held, at)):
            await asyncio.sleep(self._rules.grace.total_seconds())
            await self._until_done(lambda: self._forget(held.key))

    async def _mark_gone(self, held: Registration, at: str) -> bool:
        """Whether it is the entry's last stream that has gone, and the entry says so now."""
        async with self._writing:
            entry = await self._entries.get(*held.key) if held.key not in self._held else None
            if entry is None or not made.held_by(entry, self._controller, held.since):
                return False
            await self._entries.change(entry, made.left(at))
            return True

    async def _forget(self, key: Key) -> bool:
        """Remove an entry that nobody has come back to; of one that its user made, only what we wrote."""
        longest = FRESH * 1.5
        async with self._writing:
            entry = await self._entries.get(*key) if key not in self._held else None
            if entry is None or not made.forgotten(entry, self._now(), self._rules.grace, longest):
                return False
            if made.automatic(entry):
                await self._entries.delete(entry)
                self._metrics.unregistrations.inc()
                log.info("WorkloadEntry %s/%s is removed: its workload is gone", *key)
            elif (patch := made.unjudged(entry)) is not None:
                await self._entries.change(entry, patch)
            return True

    async def _until_done(self, step: Callable[[], Awaitable[bool]]) -> bool:
        delay = _FIRST_RETRY
        while True:
            try:
                return await step()
            except OSError as error:
                log.warning("workload entries cannot be written: %s", error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LAST_RETRY)

    async def _sweep(self) -> None:
        """Entries that no departure of this process tells of: those of a control plane that died with its workloads."""
        while True:
            await asyncio.sleep(self._rules.grace.total_seconds() * 10)
            await self.sweep()

    async def sweep(self) -> None:
        """Look once at every entry that somebody registered."""
        config = self._config()
        for key, obj in config.of("WorkloadEntry").items() if config is not None else ():
            if made.CONTROLLER in obj.meta.annotations:
                await self._until_done(lambda key=key: self._look(key))  # type: ignore[misc]

    async def _look(self, key: Key) -> bool:
        if key in self._held:
            return await self._mark_anew(key)
        async with self._writing:
            entry = await self._entries.get(*key)
            began = made.moment(self._started)
            if entry is not None and key not in self._held and self._left_over(entry, began):
                await self._entries.change(entry, made.left(made.moment(self._now())))
                return True
        return await self._forget(key)

    def _left_over(self, entry: Raw, began: str) -> bool:
        """Whether it was ours in an earlier life of this process."""
        return made.CONNECTED in made.annotations_of(entry) and made.held_by(entry, self._controller, began)

    async def _mark_anew(self, key: Key) -> bool:
        async with self._writing:
            entry = await self._entries.get(*key)
            now = self._now()
            old = entry is not None and made.annotations_of(entry).get(made.CONNECTED, "") <= made.moment(now - FRESH)
            if entry is None or not old or key not in self._held:
                return False
            since = made.moment(now)
            await self._entries.change(entry, made.claimed(self._controller, since))
            for held in self._held[key]:
                held.since = since
            return True
