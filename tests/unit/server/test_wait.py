from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from envoy.config.core.v3 import base_pb2

from mizzen.model.config import Config
from mizzen.model.extension import Delivery, Way
from mizzen.model.resources import CLUSTER, LISTENER
from mizzen.model.view import Plugins, ProxyView
from mizzen.observe import Metrics
from mizzen.resolve import build, view
from mizzen.server.hub import Compiler, Hub
from mizzen.server.node import Node
from mizzen.server.wait import arrived, built, judge, wait
from mizzen.translate import resources
from mizzen.xds import Progress
from tests.fakes.controlplane import pod

NODE = Node.parse(base_pb2.Node(id="sidecar~10.0.0.7~web-0.default~default.svc.cluster.local"))
POD = pod("default", "web-0")


class Session:
    """A session that stands where the test says."""

    def __init__(self, progress: Progress) -> None:
        self.snapshot = 1
        self.now = progress

    def progress(self, _number: int) -> Progress:
        return self.now

    def asked(self) -> frozenset[str]:
        return frozenset({CLUSTER})


class Connection:
    def __init__(self, progress: Progress) -> None:
        self.session = Session(progress)
        self.view: ProxyView | None = None
        self.owed: frozenset[str] = frozenset()
        self.node: Any = NODE
        self.of_pod = False


@pytest.fixture
def hub() -> Hub:
    found = Hub(Compiler(build, view, resources), Metrics())
    found.publish(Config(revision=5))
    return found


def attach(hub: Hub, name: str, progress: Progress) -> None:
    hub.connections[name] = cast(Any, Connection(progress))


KEY = ("t", "n")
NOBODY = Progress(known=True)
PENDING = Progress(known=True, changed=frozenset({KEY}), pending=frozenset({KEY}))
ACKED = Progress(known=True, changed=frozenset({KEY}))
REFUSED = Progress(known=True, changed=frozenset({KEY}), refused={KEY: "bad"})


def test_nobody_concerned_is_done_at_once(hub: Hub) -> None:
    attach(hub, "a", NOBODY)
    verdict = judge(hub, 5)
    assert (verdict.done, verdict.concerned, verdict.snapshot) == (True, [], 1)


@pytest.mark.row("WP-02")
@pytest.mark.parametrize(
    ("way", "done"), [(Way.UNKNOWN, False), (Way.AWAITED, False), (Way.FAILED, True), (Way.FILE, True)]
)
def test_a_change_whose_module_is_on_its_way_is_not_done(hub: Hub, way: Way, done: bool) -> None:
    for name, progress in (("a", ACKED), ("b", NOBODY)):
        attach(hub, name, progress)
        plugins = Plugins("k", ((cast(Any, None), Delivery(way)),))
        cast(Any, hub.connections[name]).view = ProxyView(cast(Any, None), plugins=plugins)
    assert judge(hub, 5).done is done
    del hub.connections["a"]
    assert judge(hub, 5).done, "a proxy that the change does not concern is not waited for"


def test_done_when_all_that_are_concerned_have_answered(hub: Hub) -> None:
    attach(hub, "a", ACKED)
    attach(hub, "b", PENDING)
    verdict = judge(hub, 5)
    assert (verdict.done, sorted(verdict.concerned), verdict.acked) == (False, ["a", "b"], ["a"])
    attach(hub, "b", REFUSED)
    document = judge(hub, 5).document()
    assert document["done"] is True
    assert document["refused"] == [{"proxy": "b", "type": "t", "resource": "n", "reason": "bad"}]
    assert document["acked"] == ["a"]


async def test_a_proxy_that_is_gone_is_told_at_the_deadline(hub: Hub) -> None:
    away = Connection(PENDING)
    away.node = Node.parse(base_pb2.Node(id="sidecar~10.1.0.1~web-0.a~a.svc.cluster.local"))
    hub.absent[away.node.proxy_id] = cast(Any, away)
    verdict = await wait(hub, 5, 0.05)
    assert (verdict.done, verdict.disconnected) == (False, [away.node.id])


async def test_a_change_that_is_not_there_yet_is_waited_for(hub: Hub) -> None:
    assert not await built(hub, 6, 0.01)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wait(hub, 6, 5))
        await asyncio.sleep(0)
        hub.publish(Config(revision=6))
    assert waiting.result().done
    assert await built(hub, 6, 1)


async def test_a_stage_has_arrived_when_all_that_are_connected_have_it(hub: Hub) -> None:
    assert await arrived(hub, 1, 0.05)
    attach(hub, "a", PENDING)
    attach(hub, "b", ACKED)
    assert not await arrived(hub, 1, 0.05)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(arrived(hub, 1, 5))
        await asyncio.sleep(0)
        attach(hub, "a", ACKED)
        hub.progressed.give()
    assert waiting.result()


def test_a_proxy_that_has_come_back_and_has_not_asked_for_its_listeners_is_waited_for(hub: Hub) -> None:
    """Of its new stream nothing is known yet: that it has acknowledged everything is only true of what it asked for."""
    attach(hub, "a", NOBODY)
    hub.connections["a"].owed = frozenset({CLUSTER, LISTENER})
    assert not judge(hub, 5).done
    hub.connections["a"].owed = frozenset({CLUSTER})
    assert judge(hub, 5).done


async def test_a_proxy_whose_pod_is_gone_is_not_waited_for_although_its_stream_looks_open(hub: Hub) -> None:
    """The last packet of a pod may be lost with its network; only the keepalive tells then."""
    attach(hub, "a", PENDING)
    hub.publish(Config(revision=6).with_objects([POD]))
    assert not judge(hub, 6).done, "the pod is there, so its proxy is waited for"
    assert not await arrived(hub, 2, 0.05)
    hub.publish(Config(revision=7))
    assert judge(hub, 7).done
    assert judge(hub, 7).concerned == []
    assert await arrived(hub, 3, 0.05)


def test_a_proxy_that_was_never_a_pod_is_waited_for(hub: Hub) -> None:
    attach(hub, "a", PENDING)
    hub.publish(Config(revision=6).with_objects([pod("default", "other")]))
    hub.publish(Config(revision=7))
    assert not judge(hub, 7).done
