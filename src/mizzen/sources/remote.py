"""Other clusters join the stream of Configs: each is watched as its remote secret says, and leaves with it (row MCL-01)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mizzen.api.meta import Object
from mizzen.check import codes
from mizzen.model.config import Config
from mizzen.model.finding import Finding, Level, about
from mizzen.model.remote import KINDS, Remote, Sync
from mizzen.sources import kubeconfig
from mizzen.sources.kubeconfig import Unusable
from mizzen.sources.lab import watch

log = logging.getLogger(__name__)

LABEL = "istio/multiCluster"
TIMEOUT = 30.0
"""Seconds after which the control plane is ready without a cluster (``PILOT_REMOTE_CLUSTER_TIMEOUT``)."""

Open = Callable[[Path], AsyncIterator[Config]]


@dataclass(frozen=True)
class Target:
    """A cluster to read. Equal targets are one client. ``secret`` is the name of its Secret."""

    secret: str
    socket: Path
    text: str = ""
    """The kubeconfig: another one is another client."""

    def __repr__(self) -> str:
        return f"Target(secret={self.secret!r})"


def targets(
    config: Config, namespace: str = "istio-system", allowed: frozenset[str] = frozenset()
) -> tuple[dict[str, Target], tuple[Finding, ...]]:
    """The clusters that the remote secrets of ``config`` name, and those that cannot be read."""
    found: dict[str, Target] = {}
    findings: list[Finding] = []
    for obj in sorted(config.of("Secret").values(), key=lambda o: o.age_key):
        if obj.namespace != namespace or obj.meta.labels.get(LABEL) != "true":
            continue
        try:
            listed = kubeconfig.texts(obj.body)
        except Unusable as error:
            findings.append(_told(obj, str(error)))
            continue
        for cluster, text in sorted(listed.items()):
            try:
                if cluster == config.cluster_id:
                    raise Unusable("it is the control plane's own cluster")
                if cluster in found:
                    raise Unusable(f"Secret {found[cluster].secret} has it already")
                found[cluster] = Target(obj.name, kubeconfig.socket_of(text, allowed), text)
            except Unusable as error:
                findings.append(_told(obj, f"cluster {cluster} is not read: {error}", f"data.{cluster}"))
    return found, tuple(findings)


def _told(obj: Object, message: str, field: str = "data") -> Finding:
    return about(obj, codes.NO_CLUSTER, Level.WARNING, message, field)


async def with_remotes(
    configs: AsyncIterator[Config],
    *,
    open_one: Open = watch,
    namespace: str = "istio-system",
    allowed: frozenset[str] = frozenset(),
    kinds: tuple[str, ...] = KINDS,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - it limits no call, but the wait for each cluster
) -> AsyncIterator[Config]:
    """``configs`` with what runs in the other clusters. The first comes when each of them was read, or had ``timeout`` seconds.

    ``kinds`` are what is read of them.
    """
    async with asyncio.TaskGroup() as group:
        clusters = _Clusters(group, open_one, timeout, kinds)
        following = group.create_task(_follow(configs, clusters, namespace, allowed))
        try:
            while await clusters.wait():
                yield clusters.config()
        finally:
            following.cancel()
            clusters.close()


async def _follow(configs: AsyncIterator[Config], clusters: _Clusters, namespace: str, allowed: frozenset[str]) -> None:
    async for config in configs:
        wanted, findings = targets(config, namespace, allowed)
        clusters.want(wanted)
        clusters.local(replace(config, findings=tuple(sorted({*config.findings, *findings}))))
    clusters.end()


class _Clusters:
    """The newest local Config and what is known of the other clusters; belongs to one TaskGroup."""

    def __init__(self, group: asyncio.TaskGroup, open_one: Open, seconds: float, kinds: tuple[str, ...]) -> None:
        self._group = group
        self._open = open_one
        self._seconds = seconds
        self._kinds = kinds
        self._local: Config | None = None
        self._remotes: dict[str, Remote] = {}
        self._running: dict[str, tuple[Target, asyncio.Task[None]]] = {}
        self._replaced: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._begun = self._ended = self._news = False

    def local(self, config: Config) -> None:
        self._local = config
        self._tell()

    def end(self) -> None:
        self._ended = True
        self._woken.set()

    def _tell(self) -> None:
        self._news = True
        self._woken.set()

    def close(self) -> None:
        for _, task in self._running.values():
            task.cancel()
        for task in self._replaced.values():
            task.cancel()

    def want(self, wanted: dict[str, Target]) -> None:
        """Begin to read new clusters, and end with those that are no longer wanted."""
        for cluster in self._running.keys() - wanted.keys():
            self._running.pop(cluster)[1].cancel()
            self._end_old(cluster)
            del self._remotes[cluster]
        for cluster, target in wanted.items():
            before = self._running.get(cluster)
            if before is not None and before[0] == target:
                continue
            if before is not None:  # it serves until the new one is synced
                self._end_old(cluster)
                self._replaced[cluster] = before[1]
            else:
                self._remotes[cluster] = Remote(secret=target.secret)
            self._running[cluster] = (target, self._group.create_task(self._read(cluster, target)))
            asyncio.get_running_loop().call_later(self._seconds, self._expire, cluster, target)

    def _end_old(self, cluster: str) -> None:
        task = self._replaced.pop(cluster, None)
        if task is not None:
            task.cancel()

    async def _read(self, cluster: str, target: Target) -> None:
        async for config in self._open(target.socket):
            self._end_old_of(cluster, target)
            objects = {kind: config.of(kind) for kind in self._kinds}
            self._remotes[cluster] = Remote(objects, config.mesh.trust_domain, target.secret, Sync.SYNCED)
            self._tell()

    def _end_old_of(self, cluster: str, target: Target) -> None:
        if self._running[cluster][0] == target:
            self._end_old(cluster)

    def _expire(self, cluster: str, target: Target) -> None:
        found, running = self._remotes.get(cluster), self._running.get(cluster)
        if found is not None and found.status is Sync.SYNCING and running is not None and running[0] == target:
            log.warning("cluster %s of Secret %s was not read within %g s", cluster, target.secret, self._seconds)
            self._remotes[cluster] = Remote(secret=target.secret, status=Sync.TIMEOUT)
            self._tell()

    async def wait(self) -> bool:
        """Until there is something new to tell; False at the end."""
        while True:
            syncing = any(remote.status is Sync.SYNCING for remote in self._remotes.values())
            if self._news and self._local is not None and (self._begun or not syncing):
                self._begun, self._news = True, False
                return True
            if self._ended:
                return False
            self._woken.clear()
            await self._woken.wait()

    def config(self) -> Config:
        """The newest Config, with the remote clusters in the order of their ids."""
        if self._local is None:
            raise LookupError("no configuration was read yet")
        return replace(self._local, remotes=dict(sorted(self._remotes.items())))
