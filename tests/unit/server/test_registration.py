"""Entries come with the stream of their workload and go after it; the store may be away at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from envoy.config.core.v3 import base_pb2

from mizzen.api.decode import decode
from mizzen.model.config import Config
from mizzen.model.identity import Identity
from mizzen.observe import Metrics
from mizzen.server.node import Node
from mizzen.server.registration import NoGroup, NotRegistered, Registrations, Rules
from tests.fakes.controlplane import until
from tests.fakes.entries import FakeEntries

DB = Identity("cluster.local", "vms", "db")
NAME = "db-10.0.0.9"
PROBE = {"httpGet": {"port": 8080}}
GROUP = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "WorkloadGroup",
    "metadata": {"name": "db", "namespace": "vms", "uid": "g1"},
    "spec": {"template": {"serviceAccount": "db", "labels": {"app": "db"}}},
}


def node(probe: dict[str, Any] | None = PROBE, **metadata: Any) -> Node:
    message = base_pb2.Node(id="sidecar~10.0.0.9~vm-1.vms~vms.svc.cluster.local")
    said = {"NAMESPACE": "vms", "SERVICE_ACCOUNT": "db", "AUTO_REGISTER_GROUP": "db", **metadata}
    message.metadata.update({**said, "PROXY_CONFIG": {"readinessProbe": probe} if probe else {}})
    return Node.parse(message)


class World:
    """``now`` is the time that the registrations see."""

    def __init__(self, directory: Path, **rules: Any) -> None:
        self.now = datetime(2026, 1, 2, tzinfo=UTC)
        self.entries = FakeEntries(directory)
        self.config = Config()
        self.put(GROUP)
        self.rules = Rules(**{"grace": timedelta(milliseconds=20), **rules})
        self.registrations = self.again()

    def again(self) -> Registrations:
        """Those of a control plane that starts now, under the same name."""
        return Registrations(self.entries, lambda: self.config, self.rules, "istiod-1", Metrics(), lambda: self.now)

    def put(self, raw: dict[str, Any]) -> None:
        found = decode(raw).object
        assert found is not None
        self.config = self.config.with_objects([found])

    def see(self) -> None:
        """The control plane hears of what was written."""
        for raw in self.entries.store.list("WorkloadEntry"):
            self.put(raw)


@asynccontextmanager
async def running(registrations: Registrations) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(registrations.run())
        yield
        task.cancel()


@pytest.mark.row("WE-06", "VM-03")
async def test_an_entry_comes_with_the_first_stream_and_goes_after_the_last(tmp_path: Path) -> None:
    world = World(tmp_path)
    registrations = world.registrations
    async with running(registrations):
        first = await registrations.connect(node(), DB)
        known = world.entries.annotations(NAME)
        assert known["istio.io/workloadController"] == "istiod-1"
        assert known["istio.io/connectedAt"] == "2026-01-02T00:00:00.000000Z"
        second = await registrations.connect(node(), DB)
        registrations.disconnect(first)
        await asyncio.sleep(0)
        assert "istio.io/connectedAt" in world.entries.annotations(NAME)
        registrations.disconnect(second)
        await until(lambda: "istio.io/disconnectedAt" in world.entries.annotations(NAME))
        assert "istio.io/connectedAt" not in world.entries.annotations(NAME)
        world.now += timedelta(seconds=1)
        await until(lambda: not world.entries.names())


@pytest.mark.row("VM-03")
async def test_who_comes_back_within_the_grace_time_keeps_the_entry(tmp_path: Path) -> None:
    world = World(tmp_path)
    registrations = world.registrations
    async with running(registrations):
        registrations.disconnect(await registrations.connect(node(), DB))
        await until(lambda: "istio.io/disconnectedAt" in world.entries.annotations(NAME))
        uid = world.entries.store.list("WorkloadEntry")[0]["metadata"]["uid"]
        world.now += timedelta(seconds=1)
        await registrations.connect(node(), DB)
        assert await registrations._forget(("vms", NAME)) is False
        found = world.entries.store.list("WorkloadEntry")[0]["metadata"]
        assert found["uid"] == uid
        assert "istio.io/disconnectedAt" not in found["annotations"]


@pytest.mark.row("VM-03")
async def test_an_entry_that_another_control_plane_took_over_is_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    registrations = world.registrations
    held = await registrations.connect(node(), DB)
    assert held is not None
    other = Registrations(world.entries, lambda: world.config, Rules(), "istiod-2", Metrics(), lambda: world.now)
    await other.connect(node(), DB)
    registrations.disconnect(held)
    assert await registrations._mark_gone(held, "2026-01-02T00:00:01.000000Z") is False
    assert world.entries.annotations(NAME)["istio.io/workloadController"] == "istiod-2"


@pytest.mark.row("WE-06", "VM-03")
@pytest.mark.parametrize(
    ("identity", "ok"),
    [
        (DB, True),
        (Identity("cluster.local", "vms", "web"), False),
        (Identity("cluster.local", "shop", "db"), False),
        (None, False),
    ],
)
async def test_only_the_groups_own_account_registers(tmp_path: Path, identity: Identity | None, ok: bool) -> None:
    world = World(tmp_path)
    if ok:
        assert await world.registrations.connect(node(), identity)
        return
    with pytest.raises(NotRegistered):
        await world.registrations.connect(node(), identity)
    assert not world.entries.writes
    await world.registrations.connect(node(), DB)
    with pytest.raises(NotRegistered):  # nor does it take over or speak for what is there
        await world.registrations.connect(node(), identity)
    with pytest.raises(NotRegistered):
        await world.registrations.report(node(), identity, True, "")
    assert len(world.entries.writes) == 1
    lax = World(tmp_path / "lax", validates=False)
    assert await lax.registrations.connect(node(), identity)


@pytest.mark.row("VM-03")
async def test_without_its_group_a_workload_is_refused_until_the_group_is_there(tmp_path: Path) -> None:
    world = World(tmp_path)
    group = world.config
    world.config = Config()
    with pytest.raises(NoGroup):
        await world.registrations.connect(node(), DB)
    world.config = group
    assert await world.registrations.connect(node(), DB)


@pytest.mark.row("VM-03")
async def test_what_no_entry_may_have_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(NotRegistered, match="not be valid"):
        await world.registrations.connect(node(LABELS={"a b": "c"}), DB)
    for bad in ({"NETWORK": "../other"}, {"INSTANCE_IPS": "10.0.0.9 x"}, {"NETWORK": "N"}):
        with pytest.raises(NotRegistered, match="cannot be called"):
            await world.registrations.connect(node(**bad), DB)
    with pytest.raises(NotRegistered, match="not be valid"):
        await world.registrations.connect(node(INSTANCE_IPS="no..address"), DB)
    assert not world.entries.names()


@pytest.mark.row("VM-03")
async def test_switched_off_nothing_is_registered(tmp_path: Path) -> None:
    world = World(tmp_path, registers=False)
    assert await world.registrations.connect(node(WORKLOAD_ENTRY=""), DB) is None
    assert await World(tmp_path).registrations.connect(node(AUTO_REGISTER_GROUP=""), DB) is None


@pytest.mark.row("VM-03")
async def test_a_store_that_is_away_refuses_the_proxy_and_delays_the_end(tmp_path: Path) -> None:
    world = World(tmp_path)
    registrations = world.registrations
    async with running(registrations):
        world.entries.broken = True
        with pytest.raises(NotRegistered, match="cannot be written now"):
            await registrations.connect(node(), DB)
        world.entries.broken = False
        held = await registrations.connect(node(), DB)
        world.entries.broken = True
        registrations.disconnect(held)
        await asyncio.sleep(0.05)
        world.entries.broken = False
        await until(lambda: "istio.io/disconnectedAt" in world.entries.annotations(NAME))
        world.now += timedelta(seconds=1)
        await until(lambda: not world.entries.names())


@pytest.mark.row("VM-03")
async def test_what_an_earlier_life_left_behind_is_swept(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.registrations.connect(node(), DB)
    world.see()
    world.now += timedelta(minutes=1)
    later = world.again()
    await later.sweep()  # nobody has come back
    assert "istio.io/disconnectedAt" in world.entries.annotations(NAME)
    world.now += timedelta(minutes=1)
    await later.sweep()
    assert not world.entries.names()


@pytest.mark.row("VM-03")
async def test_an_entry_of_a_control_plane_that_never_came_back_goes_after_a_long_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    other = Registrations(world.entries, lambda: world.config, Rules(), "istiod-2", Metrics(), lambda: world.now)
    await other.connect(node(), DB)
    world.see()
    world.now += timedelta(minutes=44)
    await world.registrations.sweep()
    assert world.entries.names()
    world.now += timedelta(minutes=2)
    await world.registrations.sweep()
    assert not world.entries.names()


@pytest.mark.row("VM-03")
async def test_a_long_stream_keeps_its_entry_marked(tmp_path: Path) -> None:
    world = World(tmp_path)
    held = await world.registrations.connect(node(), DB)
    world.see()
    world.now += timedelta(minutes=31)
    await world.registrations.sweep()
    assert held is not None
    assert world.entries.annotations(NAME)["istio.io/connectedAt"] == held.since == "2026-01-02T00:31:00.000000Z"


@pytest.mark.row("VM-04", "AG-13")
async def test_health_becomes_a_condition(tmp_path: Path) -> None:
    world = World(tmp_path)
    registrations = world.registrations
    assert not await registrations.report(node(), DB, True, "")  # too early
    held = await registrations.connect(node(), DB)
    assert world.entries.health(NAME) is None
    assert await registrations.report(node(), DB, True, "", held)
    assert world.entries.health(NAME) == ("True", "")
    assert await registrations.report(node(), DB, False, "connection refused")
    assert world.entries.health(NAME) == ("False", "connection refused")
    count = len(world.entries.writes)
    assert await registrations.report(node(), DB, False, "connection refused")
    assert len(world.entries.writes) == count


@pytest.mark.row("VM-04")
async def test_a_report_on_a_stream_that_is_no_longer_the_entrys_is_dropped(tmp_path: Path) -> None:
    world = World(tmp_path)
    held = await world.registrations.connect(node(), DB)
    other = Registrations(world.entries, lambda: world.config, Rules(), "istiod-2", Metrics(), lambda: world.now)
    await other.connect(node(), DB)
    await world.registrations.report(node(), DB, False, "old", held)
    assert world.entries.health(NAME) is None


HAND_MADE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "WorkloadEntry",
    "metadata": {
        "name": "mine",
        "namespace": "vms",
        "annotations": {"proxy.istio.io/health-checks-enabled": "true"},
    },
    "spec": {"address": "10.0.0.9", "serviceAccount": "db"},
}


@pytest.mark.row("VM-04")
async def test_an_entry_made_by_hand_loses_its_health_and_stays(tmp_path: Path) -> None:
    world = World(tmp_path)
    registrations = world.registrations
    mine = node(AUTO_REGISTER_GROUP="", WORKLOAD_ENTRY="mine")
    with pytest.raises(NotRegistered, match="does not exist"):
        await registrations.connect(mine, DB)
    world.entries.store.put(HAND_MADE)
    async with running(registrations):
        held = await registrations.connect(mine, DB)
        await registrations.report(mine, DB, True, "", held)
        assert world.entries.health("mine") == ("True", "")
        registrations.disconnect(held)
        await until(lambda: "istio.io/disconnectedAt" in world.entries.annotations("mine"))
        world.now += timedelta(seconds=1)
        await until(lambda: world.entries.health("mine") is None)
    assert world.entries.names() == ["mine"]


@pytest.mark.row("VM-04")
@pytest.mark.parametrize("status", [5, {"conditions": 5}, {"conditions": [5, None]}])
async def test_a_status_written_by_hand_stops_nothing(tmp_path: Path, status: Any) -> None:
    world = World(tmp_path)
    registrations = world.registrations
    mine = node(AUTO_REGISTER_GROUP="", WORKLOAD_ENTRY="mine")
    world.entries.store.put({**HAND_MADE, "status": status})
    async with running(registrations):
        registrations.disconnect(await registrations.connect(mine, DB))
        await until(lambda: "istio.io/disconnectedAt" in world.entries.annotations("mine"))
        world.now += timedelta(seconds=1)
        assert await registrations._forget(("vms", "mine"))
        await registrations.report(mine, DB, True, "")
        assert world.entries.health("mine") == ("True", "")


@pytest.mark.row("VM-04")
async def test_switched_off_no_health_is_taken(tmp_path: Path) -> None:
    world = World(tmp_path, checks=False)
    held = await world.registrations.connect(node(), DB)
    assert not await world.registrations.report(node(), DB, True, "", held)
    assert world.entries.health(NAME) is None


@pytest.mark.row("VM-04")
async def test_an_entry_whose_health_nobody_asked_for_is_not_touched(tmp_path: Path) -> None:
    world = World(tmp_path)
    mine = node(AUTO_REGISTER_GROUP="", WORKLOAD_ENTRY="mine")
    world.entries.store.put({**HAND_MADE, "metadata": {"name": "mine", "namespace": "vms"}})
    assert await world.registrations.connect(mine, DB) is None
    assert await world.registrations.report(mine, DB, False, "x")
    assert not world.entries.writes
