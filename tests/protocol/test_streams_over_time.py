"""Streams over time: how often they are told of changes, and how they end (rows XD-03, XD-08)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import PingReceived

from mizzen.model.resources import CLUSTER, Resource, ResourceSet
from mizzen.server import transport
from tests.fakes.controlplane import ControlPlane, control_plane, pod, until
from tests.fakes.relay import relay
from tests.protocol.test_services import NODE, RESOURCES, STREAM, WEB, channel


@contextlib.asynccontextmanager
async def stream(mesh: ControlPlane, port: int = 0, name: str = "web-0") -> AsyncIterator[Any]:
    """A proxy that has asked for clusters."""
    async with channel(mesh, port=port) as chan:
        method = chan.stream_stream(STREAM, request_serializer=lambda m: m.SerializeToString())
        token = mesh.tokens.token("default", "web", name)
        call = method(metadata=[("authorization", f"Bearer {token}")], timeout=20)
        await call.write(
            discovery_pb2.DiscoveryRequest(node=base_pb2.Node(id=NODE.replace("web-0", name)), type_url=CLUSTER)
        )
        yield call


async def told(call: Any) -> discovery_pb2.DiscoveryResponse:
    """The next response, acknowledged."""
    response = discovery_pb2.DiscoveryResponse.FromString(await call.read())
    await call.write(discovery_pb2.DiscoveryRequest(type_url=CLUSTER, response_nonce=response.nonce))
    return response


@pytest.mark.row("XD-03")
async def test_a_burst_of_changes_is_a_few_pushes(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,), resources=RESOURCES) as mesh, stream(mesh) as call:
        await told(call)
        before = mesh.hub.current.number if mesh.hub.current is not None else 0
        began = time.monotonic()
        for number in range(100):
            await mesh.publish(ResourceSet.of([Resource.of(CLUSTER, "c", b"\n\x01c\x28" + bytes([number]))]))
            await asyncio.sleep(0.002)
        responses = 1
        while not (await told(call)).resources[0].value.endswith(bytes([99])):
            responses += 1
        assert mesh.hub.current is not None
        # One at once, and then one for each tenth of a second that it took.
        allowed = 2 + (time.monotonic() - began) / 0.1
        assert responses <= mesh.hub.current.number - before <= allowed


@pytest.mark.row("XD-08")
async def test_an_idle_connection_is_pinged_and_ended_when_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (transport.KEEPALIVE, transport.KEEPALIVE_TIMEOUT) == (30, 10)
    monkeypatch.setattr(transport, "KEEPALIVE", 0.1)
    monkeypatch.setattr(transport, "KEEPALIVE_TIMEOUT", 0.2)

    async def silent(call: transport.Call) -> None:
        await call.receive()

    server = await transport.serve([transport.Method(STREAM, silent)], "127.0.0.1", 0, None)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    caller = H2Connection(H2Configuration(client_side=True))
    caller.initiate_connection()
    head = {":method": "POST", ":scheme": "http", ":path": STREAM, ":authority": "x", "te": "trailers"}
    caller.send_headers(1, [*head.items(), ("content-type", "application/grpc")])
    writer.write(caller.data_to_send())
    events: list[Any] = []
    async with asyncio.timeout(10):
        while data := await reader.read(65536):  # what we receive is never answered
            events += caller.receive_data(data)
    assert any(isinstance(event, PingReceived) for event in events)
    writer.close()
    await server.stop()


@pytest.mark.row("XD-08")
async def test_an_old_stream_is_ended_and_the_next_one_is_served(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,), resources=RESOURCES, connection_age=0.5) as mesh:
        for _ in range(2):
            async with stream(mesh) as call:
                await told(call)
                with contextlib.suppress(grpc.aio.AioRpcError):
                    while await call.read() is not grpc.aio.EOF:
                        pass
                assert await call.code() is grpc.StatusCode.UNAVAILABLE
            await until(lambda: NODE not in mesh.hub.connections)


@pytest.mark.row("XD-08")
async def test_a_proxy_whose_machine_is_gone_is_let_go_after_the_keepalive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No packet says that it is: neither its ping nor the end of TLS is ever answered."""
    monkeypatch.setattr(transport, "KEEPALIVE", 0.2)
    monkeypatch.setattr(transport, "KEEPALIVE_TIMEOUT", 0.2)
    monkeypatch.setattr(transport, "GOODBYE", 0.2)
    async with (
        control_plane(tmp_path, objects=(WEB,), resources=RESOURCES) as mesh,
        relay(mesh.ports.secure) as wire,
        stream(mesh, wire.port) as call,
    ):
        await told(call)
        await asyncio.sleep(1)  # several pings long
        assert NODE in mesh.hub.connections, "a proxy that answers pings stays"
        wire.cut()
        await until(lambda: NODE not in mesh.hub.connections)


async def test_a_proxy_that_reads_nothing_holds_up_no_other(tmp_path: Path) -> None:
    """More than every buffer between takes is on its way to the dead one while the other gets each change."""
    others = pod("default", "web-1", account="web")
    async with (
        control_plane(tmp_path, objects=(WEB, others), resources=RESOURCES) as mesh,
        relay(mesh.ports.secure) as wire,
        stream(mesh, wire.port) as dead,
        stream(mesh, name="web-1") as alive,
    ):
        await told(dead)
        await told(alive)
        wire.stall()
        for number in range(20):
            large = bytes([number]) * 4_000_000
            await mesh.publish(ResourceSet.of([Resource.of(CLUSTER, "c", large)]))
            async with asyncio.timeout(10):
                while (await told(alive)).resources[0].value[:1] != bytes([number]):
                    pass
        assert {NODE, NODE.replace("web-0", "web-1")} <= set(mesh.hub.connections)
