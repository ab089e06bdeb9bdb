"""The newest snapshot in one variable, and who is connected. Everything that waits for a change waits here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from mizzen.model.closed import closed_by
from mizzen.model.config import Config
from mizzen.model.extension import Fetched, Module, Way
from mizzen.model.finding import (
    CONFLICTING_HOSTS,
    DUPLICATE_SUBSET,
    LISTENER_TAKEN,
    PROTOCOLS_DIFFER,
    REJECTED,
    Finding,
)
from mizzen.model.identity import Identity
from mizzen.model.provider import NotFound
from mizzen.model.proxy import Proxy
from mizzen.model.remote import Remote, Sync
from mizzen.model.resources import CLUSTER, LISTENER, ResourceSet
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import NO_PLUGINS, Plugins, ProxyView
from mizzen.observe import Metrics
from mizzen.server.certificates import Certificates
from mizzen.server.events import events
from mizzen.server.node import Node
from mizzen.server.reports import STRANGERS, Reports
from mizzen.xds import Session

log = logging.getLogger(__name__)

_REMEMBERED = 4096


class Signal:
    """Wakes everybody who waits at the moment it is given."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def give(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    def wait(self) -> Coroutine[Any, Any, bool]:
        """Until the next time. What is given after this call counts, also before the caller awaits the answer."""
        return self._event.wait()


async def first_of(waits: Iterable[Coroutine[Any, Any, bool]]) -> None:
    """Until one of ``waits`` is over; the others are given up."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(wait) for wait in waits]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


@dataclass(frozen=True)
class Compiler:
    """The pure core, as the shell calls it: ``resolve.build``, ``resolve.view`` and ``translate.resources``."""

    build: Callable[[Config, Snapshot | None], Snapshot]
    view: Callable[[Snapshot, Proxy, ProxyView | None], ProxyView]
    resources: Callable[[ProxyView], ResourceSet]
    stages: Callable[[Snapshot, Config], tuple[Config, ...]] = lambda previous, config: ()
    """What comes for a moment between a snapshot and the next Config, so that no request is lost."""
    plugins: Callable[[Snapshot, Proxy], Plugins] = lambda snapshot, proxy: NO_PLUGINS
    """``resolve.plugins``: the part of a view that agents ask for."""


@dataclass(frozen=True, eq=False)
class Published:
    """``number`` counts snapshots of this process, from 1. ``revision`` is that of the Config it was made from."""

    number: int
    revision: int
    snapshot: Snapshot
    at: float = 0.0
    """When it was ready, on the monotonic clock."""


@dataclass(eq=False)
class Connection:
    """One xDS stream. ``since`` is Unix time in seconds; ``moments`` those of a type's last response or answer."""

    node: Node
    session: Session
    identity: Identity | None
    since: float
    secrets: bool = False
    """Whether credentials may be sent on it: the caller is proved, and is the pod that it says it is."""
    moments: dict[str, float] = field(default_factory=dict)
    sent: dict[str, float] = field(default_factory=dict)
    """By type, the Unix time of the last response."""
    view: ProxyView | None = field(default=None, repr=False)
    """The last view, from which the next one keeps what is equal."""
    of_pod: bool = False
    """Whether a pod of its name has been known since it connected."""
    owed: frozenset[str] = frozenset()
    """Of clusters and listeners, what the proxy's stream before this one had: before it asks again, nobody knows what it has."""
    made: tuple[Published, ResourceSet] | None = field(default=None, repr=False)
    """What the last view became; None also when its agent had news since."""
    reported: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set from when its agent has news of the modules of its plugins until that is offered."""


class Hub:
    """``changed`` is given for each snapshot, ``progressed`` when a proxy answers, comes or goes."""

    def __init__(self, compiler: Compiler, metrics: Metrics) -> None:
        self._compiler = compiler
        self._metrics = metrics
        self.current: Published | None = None
        self.changed = Signal()
        self.progressed = Signal()
        self.connections: dict[str, Connection] = {}
        self._newest: dict[str, Connection] = {}
        """By ``name.namespace``: the last stream of a pod's proxy, if it is open."""
        self.absent: dict[str, Connection] = {}
        """By ``name.namespace``: a pod has one proxy, whatever ids that gave itself."""
        self.reports = Reports()
        self._published: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
        self._built: dict[Hashable, ResourceSet] = {}
        self._certificates = Certificates(metrics, lambda: datetime.now(UTC))
        self._faults: dict[Hashable, tuple[Finding, ...]] = {}
        self._conflicts: set[Finding] = set()
        self._counted: Config | None = None
        self.error = ""

    @property
    def config(self) -> Config | None:
        return self.current.snapshot.config if self.current is not None else None

    def stages(self, config: Config) -> tuple[Config, ...]:
        """What to publish before ``config``, one after the other; nothing when that cannot be told."""
        if self.current is None:
            return ()
        try:
            return self._compiler.stages(self.current.snapshot, config)
        except Exception as error:  # noqa: BLE001 - the change itself must not suffer
            self._failed("a change could not be divided into stages; it comes at once", error)
            return ()

    def publish(self, config: Config) -> None:
        """Resolve ``config`` and wake the streams. If that fails, the mesh keeps what it has (product decision 7)."""
        previous = self.current.snapshot if self.current is not None else None
        started = time.monotonic()
        try:
            snapshot = self._compiler.build(config, previous)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must not suffer
            self._failed("the configuration could not be resolved; the mesh keeps what it has", error)
            return
        self._metrics.build_seconds.observe(time.monotonic() - started)
        self._metrics.services.set(len(snapshot.services))
        self._metrics.virtual_services.set(len(snapshot.virtual_services))
        self._metrics.lookups_failed(why.kind for why in snapshot.providers.values() if isinstance(why, NotFound))
        codes = Counter(finding.code for finding in snapshot.findings)
        self._metrics.duplicate_domains.set(codes[CONFLICTING_HOSTS])
        self._metrics.duplicate_subsets.set(codes[DUPLICATE_SUBSET])
        for reason, count in closed_by(snapshot.findings).items():
            self._metrics.failed_closed.labels(reason).set(count)
        self._count_clusters(previous.config.remotes if previous is not None else {}, config.remotes)
        self.error = ""
        number = self.current.number + 1 if self.current is not None else 1
        self._count_events(config)
        self.current = Published(number, config.revision, snapshot, time.monotonic())
        self._published.append((number, config.revision))
        self._built.clear()
        self._conflicts.clear()
        self._tell_conflicts()
        self._metrics.rejected_configs.clear()
        self._faults.clear()
        self._note_pods(self.connections.values())
        self._forget_gone(config)
        self.changed.give()

    def _count_clusters(self, before: Mapping[str, Remote], now: Mapping[str, Remote]) -> None:
        self._metrics.clusters.labels("local").set(1)
        self._metrics.clusters.labels("remote").set(len(now))
        late = {name for name, remote in now.items() if remote.status is Sync.TIMEOUT}
        self._metrics.cluster_timeouts.inc(
            len(late - {name for name, remote in before.items() if remote.status is Sync.TIMEOUT})
        )

    def again(self) -> None:
        """Resolve what there is once more and offer it. A proxy that has it already is sent nothing."""
        if self.config is not None:
            self.publish(self.config)

    def _count_events(self, config: Config) -> None:
        """Between Configs as they came: a snapshot's may lack namespaces that nobody is to see."""
        found, metrics = events(self._counted, config), self._metrics.pushing
        self._counted = config
        for counter, counts in ((metrics.config_events, found.config), (metrics.registry_events, found.registry)):
            for labels, number in counts.items():
                counter.labels(*labels).inc(number)
        for counter, sorts in ((metrics.triggers, found.triggers), (metrics.inbound, found.inbound)):
            for sort, number in sorts.items():
                counter.labels(sort).inc(number)

    def number_of(self, revision: int) -> int | None:
        """The first snapshot that has ``revision`` in it, None if there is none yet."""
        return next((number for number, published in self._published if published >= revision), None)

    def resources(self, connection: Connection, published: Published) -> ResourceSet | None:
        """What the proxy of ``connection`` is to have. None when it cannot be built: then the proxy keeps what it has."""
        if connection.made is not None and connection.made[0] is published:
            return connection.made[1]
        try:
            proxy = self._proxy(connection.node, published)
            connection.view = self._compiler.view(published.snapshot, proxy, connection.view)
            built = self._of_view(connection.view, published)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must not suffer
            self._failed(f"the resources of {connection.node.id} could not be built; it keeps what it has", error)
            return None
        connection.made = (published, built)
        return built

    def resources_of(self, node: Node) -> ResourceSet | None:
        """The same for a proxy that need not be connected here: its agent may ask another replica than its Envoy does."""
        known = self.connections.get(node.id)
        if self.current is None:
            return None
        if known is not None:
            return self.resources(known, self.current)
        try:
            view = self._compiler.view(self.current.snapshot, self._proxy(node, self.current), None)
            return self._of_view(view, self.current)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must not suffer
            self._failed(f"the resources of {node.id} could not be built", error)
            return None

    def _proxy(self, node: Node, published: Published) -> Proxy:
        return replace(node.proxy(published.snapshot.config), modules=self.reports.of(node))

    def report(self, node: Node, modules: Mapping[str, Fetched]) -> None:
        """What the agent of ``node`` says of the modules that it fetches (row AG-12)."""
        if not self.reports.take(node, modules):
            return
        self._forget_strangers()
        connection = self.connections.get(node.id)
        if connection is not None:
            connection.made = None
            connection.reported.set()

    def modules(self, node: Node) -> tuple[Module, ...]:
        """What the agent of ``node`` is to fetch, each once. Raises when that cannot be told."""
        if self.current is None or not self.current.snapshot.extensions:
            return ()
        plugins = self._compiler.plugins(self.current.snapshot, node.proxy(self.current.snapshot.config))
        wanted = (item.module for item, _ in plugins.entries if item.module is not None and not item.module.path)
        return tuple({module.key: module for module in wanted}.values())

    def fetching(self, connection: Connection) -> bool:
        """Whether a module is on its way to the proxy, as far as its agent has told."""
        view = connection.view
        ways = (Way.UNKNOWN, Way.AWAITED)
        return view is not None and any(delivery.way in ways for _, delivery in view.plugins.entries)

    def _of_view(self, view: ProxyView, published: Published) -> ResourceSet:
        key = view.key
        built = self._built.get(key)
        if built is None:
            built = self._compiler.resources(view)
            if published is self.current:
                self._built[key] = built
                self._faults[key] = self._certificates.findings(built, view.scope.namespace)
                self._count_rejected(built)
                self._count_conflicts(built)
        return built

    def _count_conflicts(self, built: ResourceSet) -> None:
        """Services that share a place with an older one, each once however many proxies see it (rows PR-11, IL-03)."""
        found = {f for f in built.findings if f.code in (LISTENER_TAKEN, PROTOCOLS_DIFFER)} - self._conflicts
        if found:
            self._conflicts |= found
            self._tell_conflicts()

    def _tell_conflicts(self) -> None:
        codes = Counter(finding.code for finding in self._conflicts)
        self._metrics.outbound_conflicts.set(codes[LISTENER_TAKEN])
        self._metrics.inbound_conflicts.set(codes[PROTOCOLS_DIFFER])

    def _count_rejected(self, built: ResourceSet) -> None:
        for finding in built.findings:
            if finding.code == REJECTED:
                owner = f"{finding.namespace}/{finding.name}"
                self._metrics.rejected_configs.labels(finding.kind.lower(), owner).set(1)

    @property
    def cached(self) -> int:
        """How many sets of resources are kept, each for every proxy with the same view."""
        return len(self._built)

    def forget(self) -> None:
        """Let every set of resources be put together again when it is asked for next."""
        self._built.clear()

    def _note_pods(self, connections: Iterable[Connection]) -> None:
        for connection in connections:
            connection.of_pod = connection.of_pod or bool(connection.node.account_of_pod(self._counted))

    def left(self, connection: Connection) -> bool:
        """Whether its pod was there and is not any more, or is another one of the same name. Nobody will answer, although
        the stream may look open for as long as the keepalive: what ended a pod may have ended its network before the
        last packet was out."""
        if not connection.node.comes_and_goes and self._newer(connection):
            return True
        return connection.of_pod and not connection.node.account_of_pod(self._counted)

    def _newer(self, connection: Connection) -> bool:
        return self._newest.get(connection.node.proxy_id, connection) is not connection

    @staticmethod
    def returning(connection: Connection) -> bool:
        """Whether the proxy has come back, and has not asked yet for all that it had."""
        return not connection.owed <= connection.session.asked()

    def connection(self, proxy: str) -> Connection | None:
        """By node id or by ``name.namespace``."""
        found = self.connections.get(proxy)
        return found or next((c for c in self.connections.values() if c.node.proxy_id == proxy), None)

    def findings(self) -> set[Finding]:
        """Those of the newest snapshot and of what was translated from it so far."""
        if self.current is None:
            return set()
        snapshot = self.current.snapshot
        built = (finding for made in self._built.values() for finding in made.findings)
        faults = (finding for found in self._faults.values() for finding in found)
        return {*snapshot.config.findings, *snapshot.findings, *built, *faults}

    def attach(self, connection: Connection) -> None:
        """A proxy has connected. It replaces an older stream of the same proxy."""
        away = self._no_longer_away(connection.node)
        before = self.connections.get(connection.node.id) or away
        if before is not None:
            connection.owed = before.session.asked() & {CLUSTER, LISTENER}
        self._note_pods([connection])
        self.connections[connection.node.id] = connection
        if not connection.node.comes_and_goes:
            self._newest[connection.node.proxy_id] = connection
        self._metrics.count_connected(connection.node.version, 1)
        self.progressed.give()

    def detach(self, connection: Connection) -> None:
        """A stream has ended. What its session last had is kept for as long as the pod exists."""
        self._metrics.count_connected(connection.node.version, -1)
        if self.connections.get(connection.node.id) is connection:
            del self.connections[connection.node.id]
            if connection.node.comes_and_goes or self._newer(connection):
                self._metrics.gone(connection.node.id)
            else:
                self._no_longer_away(connection.node)
                self.absent[connection.node.proxy_id] = connection
            if self.config is not None:
                self._forget_gone(self.config)
        if self._newest.get(connection.node.proxy_id) is connection:
            del self._newest[connection.node.proxy_id]
        self.progressed.give()

    def _no_longer_away(self, node: Node) -> Connection | None:
        """The last stream of a pod's proxy that was away. That may have had another id, with another address say."""
        before = self.absent.pop(node.proxy_id, None) if not node.comes_and_goes else None
        if before is not None and before.node.id != node.id:
            self._metrics.gone(before.node.id)
        return before

    def _forget_gone(self, config: Config) -> None:
        pods = config.of("Pod")
        nodes = [connection.node for connection in self.absent.values()]
        for node in nodes:
            if (node.namespace, node.name) not in pods:
                del self.absent[node.proxy_id]
                self._metrics.gone(node.id)
        self._forget_strangers()

    def _forget_strangers(self) -> None:
        """A caller may speak for proxies that it makes up."""
        if len(self.reports) > len(self.connections) + len(self.absent) + STRANGERS:
            self.reports.keep({*self.connections, *(connection.node.id for connection in self.absent.values())})

    def _failed(self, message: str, error: Exception) -> None:
        self._metrics.internal_errors.inc()
        self.error = f"{message}: {type(error).__name__}: {error}"
        log.error(message, exc_info=error)
