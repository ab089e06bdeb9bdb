"""A stream whose proxy does not behave; everything else is in tests/protocol."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.config import Config
from mizzen.model.extension import Fetched
from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER, LISTENER, Resource, ResourceSet
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import ProxyView, Scope
from mizzen.observe import Metrics
from mizzen.resolve import build
from mizzen.server import patience
from mizzen.server.ads import Discovery
from mizzen.server.authenticate import Caller
from mizzen.server.hub import Compiler, Hub
from mizzen.server.limits import NAMES_PER_STREAM, TYPES_PER_STREAM, WAITING_RESPONSES
from mizzen.server.node import Node
from mizzen.server.rate import Rate
from mizzen.server.transport import GrpcError, Status
from mizzen.xds import Response

RESOURCES = ResourceSet.of([Resource.of(CLUSTER, "c", b"\n\x01c")])
NODE = base_pb2.Node(id="sidecar~10.0.0.1~web-0.default~default.svc.cluster.local")


class FakeCall:
    """Sends what ``script`` says; what is sent to it goes through ``sink``."""

    metadata: dict[str, str] = {}  # noqa: RUF012 - never changed
    certificate = None
    address = "127.0.0.1"

    def __init__(self, script: Any, sink: Callable[[bytes], Awaitable[None]]) -> None:
        self._script = iter(script)
        self.send = sink
        self.received = 0

    async def receive(self, limit: int = 0) -> bytes | None:
        await asyncio.sleep(0)
        request = next(self._script, None)
        if request is None:
            return None
        self.received += 1
        data: bytes = request.SerializeToString()
        return data


class OpenCall(FakeCall):
    """Says what is put into ``says`` and never ends; what is sent to it is in ``heard``."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[Any] = asyncio.Queue()
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        super().__init__((), self.heard.put)

    async def receive(self, limit: int = 0) -> bytes | None:
        data: bytes = (await self.says.get()).SerializeToString()
        return data

    async def hears(self) -> discovery_pb2.DeltaDiscoveryResponse:
        return discovery_pb2.DeltaDiscoveryResponse.FromString(await asyncio.wait_for(self.heard.get(), 5))


def view(snapshot: Snapshot, proxy: Any, previous: ProxyView | None) -> ProxyView:
    key = str(proxy.modules)
    return ProxyView(Scope(key=key, snapshot=snapshot, proxy_type=proxy.type, namespace="default"))


def published(
    resources: Callable[[ProxyView], ResourceSet] = lambda _: RESOURCES, metrics: Metrics | None = None
) -> Hub:
    hub = Hub(Compiler(build, view, resources), metrics or Metrics())
    hub.publish(Config())
    return hub


def discovery(metrics: Metrics | None = None, hub: Hub | None = None, per_second: float = 1000) -> Discovery:
    return Discovery(hub or published(metrics=metrics), metrics or Metrics(), Rate(per_second), None)


async def serve(call: FakeCall, served: Discovery | None = None) -> None:
    (method, _) = (served or discovery()).methods()
    await method.serve(call)  # type: ignore[arg-type]


async def ignored(_: bytes) -> None:
    pass


def asking(**more: Any) -> discovery_pb2.DeltaDiscoveryRequest:
    return discovery_pb2.DeltaDiscoveryRequest(**{"type_url": CLUSTER, **more})


async def test_who_does_not_read_is_not_read_from() -> None:
    """It answers responses that it cannot have seen, and asks for the same again and again."""

    def flood() -> Any:
        yield asking(node=NODE)
        for number in itertools.count(2):
            yield asking(response_nonce=f"1-{max(number - 2, 1)}", resource_names_subscribe=["c"])

    blocked = asyncio.Event()

    async def never(_: bytes) -> None:
        blocked.set()
        await asyncio.Event().wait()

    call = FakeCall(flood(), never)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve(call))
        await blocked.wait()
        before = -1
        while call.received != before and call.received < 10 * WAITING_RESPONSES:
            before = call.received
            for _ in range(50):
                await asyncio.sleep(0)
        task.cancel()
    assert WAITING_RESPONSES <= call.received <= WAITING_RESPONSES + 5


async def test_pages_are_made_one_at_a_time_for_who_does_not_read() -> None:
    """Each may have the size of the whole mesh."""
    made: list[str] = []

    class Pages:
        def answer(self, type_url: str, *_: Any, **__: Any) -> Response:
            made.append(type_url)
            return Response(type_url, "n", "", ())

    class Everybody:
        async def caller(self, *_: Any) -> Caller:
            return Caller(Identity("cluster.local", "default", "default"))

    blocked = asyncio.Event()

    async def never(_: bytes) -> None:
        blocked.set()
        await asyncio.Event().wait()

    requests = [asking(node=NODE, type_url="t"), *(asking(type_url="istio.io/debug") for _ in range(20))]
    served: Any = Discovery(
        published(), Metrics(), Rate(1000), cast(Any, Everybody()), identity_check=False, debug=cast(Any, Pages())
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve(FakeCall(requests, never), served))
        await blocked.wait()
        for _ in range(200):
            await asyncio.sleep(0)
        task.cancel()
    assert len(made) == 1, "the first waits behind what is being sent"


async def test_who_reads_may_go_on_for_ever() -> None:
    nonces = [f"1-{number}" for number in range(1, 1000)]
    requests = [asking(node=NODE)]
    requests += [asking(response_nonce=n, resource_names_subscribe=["c"]) for n in nonces]
    call = FakeCall(requests, ignored)
    await serve(call)
    assert call.received == 1000


@pytest.mark.parametrize(
    "requests",
    [
        [asking(node=NODE, type_url=f"t{number}") for number in range(TYPES_PER_STREAM + 1)],
        [
            asking(node=NODE, resource_names_subscribe=[f"{part}-{n}" for n in range(NAMES_PER_STREAM // 10 + 1)])
            for part in range(10)
        ],
        [asking(node=NODE, initial_resource_versions={f"{n}": "v" for n in range(NAMES_PER_STREAM + 1)})],
    ],
    ids=["types", "names", "versions"],
)
async def test_one_stream_may_not_ask_for_everything(requests: list[Any]) -> None:
    with pytest.raises(GrpcError) as caught:
        await serve(FakeCall(requests, ignored))
    assert caught.value.status is Status.RESOURCE_EXHAUSTED


@pytest.mark.row("XD-05")
async def test_more_streams_than_their_rate_allows_are_turned_away() -> None:
    served = discovery(per_second=0.001)
    for _ in range(2):
        await serve(FakeCall([asking(node=NODE)], ignored), served)
    with pytest.raises(GrpcError, match="too many new streams") as caught:
        await serve(FakeCall([asking(node=NODE)], ignored), served)
    assert caught.value.status is Status.RESOURCE_EXHAUSTED


async def test_types_that_a_caller_makes_up_are_one_series() -> None:
    metrics = Metrics()
    await serve(FakeCall([asking(node=NODE, type_url=f"made-up-{n}") for n in range(20)], ignored), discovery(metrics))
    assert b"made-up" not in metrics.text()


async def test_garbage_nonces_are_counted_and_answered_with_nothing() -> None:
    sent: list[bytes] = []

    async def keep(data: bytes) -> None:
        sent.append(data)

    metrics = Metrics()
    requests = [asking(node=NODE), *(asking(response_nonce=f"garbage {n}") for n in range(5000))]
    await serve(FakeCall(requests, keep), discovery(metrics))
    assert len(sent) == 1
    assert 'pilot_xds_expired_nonce{type="cds"} 5000.0' in metrics.text().decode()


async def test_news_of_an_agent_is_offered_also_when_somebody_else_looks_first() -> None:
    """A debug page or the agent's own poll has it made before the stream wakes."""
    hub = published(lambda of: ResourceSet.of([Resource.of(CLUSTER, "c", str(of.scope.key).encode())]))
    node = base_pb2.Node(id=NODE.id)
    node.metadata.update({"MIZZEN_BOOT": "life"})
    call = OpenCall()
    async with asyncio.TaskGroup() as group:
        stream = group.create_task(serve(call, discovery(hub=hub)))
        call.says.put_nowait(asking(node=node))
        nonce, acknowledged = (await call.hears()).nonce, hub.progressed.wait()
        call.says.put_nowait(asking(response_nonce=nonce))
        await acknowledged
        hub.report(Node.parse(node), {"m": Fetched("a" * 64)})
        assert hub.resources_of(Node.parse(node)) is not None
        assert b"aaa" in (await call.hears()).resources[0].resource.value
        stream.cancel()


async def test_who_acknowledges_no_clusters_gets_its_listeners_though_others_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Changes that come more often than patience ends must not make it begin anew."""
    monkeypatch.setattr(patience, "PATIENCE", 0.2)
    both = ResourceSet.of([Resource.of(CLUSTER, "c", b"\n\x01c"), Resource.of(LISTENER, "l", b"\n\x01l")])
    hub, call = published(lambda _: both), OpenCall()

    async def change() -> None:
        while True:
            hub.publish(Config())
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(serve(call, discovery(hub=hub))), group.create_task(change())]
        for request in (asking(node=NODE), asking(type_url=LISTENER)):
            call.says.put_nowait(request)
        assert [(await call.hears()).type_url for _ in range(2)] == [CLUSTER, LISTENER]
        for task in tasks:
            task.cancel()
