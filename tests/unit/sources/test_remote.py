"""Clusters that come, change, are slow, and go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mizzen.api.kubernetes import Secret
from mizzen.api.meta import Object, ObjectMeta
from mizzen.model.config import Config
from mizzen.model.remote import KINDS, Sync
from mizzen.sources.remote import with_remotes
from tests.fakes.controlplane import pod
from tests.unit.sources.test_kubeconfig import config as kubeconfig


def secret(name: str, labelled: str = "true", namespace: str = "istio-system", **clusters: str) -> Object:
    data = {cluster: kubeconfig(f"unix:///{path}") for cluster, path in clusters.items()}
    meta = ObjectMeta(name=name, namespace=namespace, labels={"istio/multiCluster": labelled}, creation_timestamp=name)
    return Object(kind="Secret", meta=meta, body=Secret(string_data=data))


class Machine:
    """The meshes of a machine: what each socket says, and how often it was opened and closed."""

    def __init__(self) -> None:
        self.says: dict[str, asyncio.Queue[Config]] = {}
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.local: asyncio.Queue[Config | None] = asyncio.Queue()

    async def open(self, socket: Path) -> AsyncIterator[Config]:
        self.opened.append(socket.name)
        try:
            while True:
                yield await self.says.setdefault(socket.name, asyncio.Queue()).get()
        finally:
            self.closed.append(socket.name)

    def says_now(self, name: str, config: Config) -> None:
        self.says.setdefault(name, asyncio.Queue()).put_nowait(config)

    async def configs(self) -> AsyncIterator[Config]:
        while (config := await self.local.get()) is not None:
            yield config


async def run(machine: Machine, seconds: float = 30.0, kinds: tuple[str, ...] = KINDS) -> AsyncIterator[Config]:
    async for config in with_remotes(machine.configs(), open_one=machine.open, kinds=kinds, timeout=seconds):
        yield config


async def until(stream: AsyncIterator[Config], wanted: Callable[[Config], bool]) -> Config:
    async with asyncio.timeout(5):
        async for config in stream:
            if wanted(config):
                return config
    raise AssertionError("the stream ended")


def pods(config: Config, cluster: str) -> set[str]:
    return {name for _, name in config.remotes[cluster].of("Pod")}


THERE = Config(revision=1).with_objects([pod("shop", "web-0")])


@pytest.mark.row("MCL-01")
async def test_a_cluster_is_there_with_its_first_objects_follows_their_changes_and_goes_with_its_secret() -> None:
    machine = Machine()
    stream = run(machine)
    machine.local.put_nowait(Config().with_objects([secret("one", b="b")]))
    machine.says_now("b", THERE)
    first = await until(stream, lambda _: True)
    assert pods(first, "b") == {"web-0"}
    assert (first.remotes["b"].status, first.remotes["b"].secret) == (Sync.SYNCED, "one")
    machine.says_now("b", THERE.with_objects([pod("shop", "web-1")]))
    await until(stream, lambda config: pods(config, "b") == {"web-0", "web-1"})

    machine.local.put_nowait(Config())
    gone = await until(stream, lambda config: not config.remotes)
    assert gone.findings == ()
    machine.local.put_nowait(None)
    async for _ in stream:
        pass
    assert (machine.opened, machine.closed) == (["b"], ["b"])


@pytest.mark.row("MCL-01")
async def test_a_cluster_that_is_not_read_in_time_is_gone_on_without_and_comes_later() -> None:
    machine = Machine()
    stream = run(machine, seconds=0.01)
    machine.local.put_nowait(Config().with_objects([secret("one", b="b")]))
    first = await until(stream, lambda _: True)
    assert (first.remotes["b"].status, pods(first, "b")) == (Sync.TIMEOUT, set())
    machine.says_now("b", THERE)
    late = await until(stream, lambda config: config.remotes["b"].status is Sync.SYNCED)
    assert pods(late, "b") == {"web-0"}
    machine.local.put_nowait(None)
    async for _ in stream:
        pass


@pytest.mark.row("MCL-01")
async def test_another_kubeconfig_is_read_before_the_old_one_is_left_and_the_same_bytes_change_nothing() -> None:
    machine = Machine()
    stream = run(machine)
    machine.local.put_nowait(Config().with_objects([secret("one", b="b")]))
    machine.says_now("b", THERE)
    await until(stream, lambda config: "b" in config.remotes)
    machine.local.put_nowait(Config(revision=2).with_objects([secret("one", b="b")]))
    await until(stream, lambda config: config.revision == 2)
    assert machine.opened == ["b"]

    machine.local.put_nowait(Config(revision=3).with_objects([secret("one", b="moved")]))
    between = await until(stream, lambda config: config.revision == 3)
    assert (pods(between, "b"), machine.closed) == ({"web-0"}, [])
    machine.says_now("moved", Config().with_objects([pod("shop", "web-9")]))
    await until(stream, lambda config: pods(config, "b") == {"web-9"})
    machine.local.put_nowait(None)
    async for _ in stream:
        pass
    assert sorted(machine.closed) == ["b", "moved"]


@pytest.mark.row("MCL-01")
async def test_what_is_not_read_is_told() -> None:
    machine = Machine()
    stream = run(machine)
    machine.says_now("b", THERE)
    secrets = [
        secret("one", b="b", Kubernetes="own"),
        secret("two", b="again"),
        secret("plain", labelled="false", c="c"),
        secret("elsewhere", namespace="shop", d="d"),
    ]
    machine.local.put_nowait(Config().with_objects(secrets))
    found = await until(stream, lambda _: True)
    assert set(found.remotes) == {"b"}
    assert sorted((f.name, f.field, f.message) for f in found.findings) == [
        ("one", "data.Kubernetes", "cluster Kubernetes is not read: it is the control plane's own cluster"),
        ("two", "data.b", "cluster b is not read: Secret one has it already"),
    ]
    assert machine.opened == ["b"]
    machine.local.put_nowait(None)
    async for _ in stream:
        pass


@pytest.mark.row("MCL-05")
async def test_only_what_is_asked_for_is_taken() -> None:
    machine = Machine()
    stream = run(machine, kinds=("Service",))
    machine.says_now("b", THERE)
    machine.local.put_nowait(Config().with_objects([secret("one", b="b")]))
    found = await until(stream, lambda _: True)
    assert list(found.remotes["b"].objects) == ["Service"]
    machine.local.put_nowait(None)
    async for _ in stream:
        pass
