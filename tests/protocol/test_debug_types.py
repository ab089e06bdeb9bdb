"""Debug types over the real ports, by grpcio's client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER
from tests.fakes.controlplane import control_plane, workload_credentials
from tests.protocol.test_services import NODE, RESOURCES, STREAM, WEB, channel


def stream(chan: grpc.aio.Channel) -> Any:
    """A stream that takes whole requests and gives bytes."""
    return chan.stream_stream(STREAM, request_serializer=lambda m: m.SerializeToString())(timeout=10)


@pytest.mark.row("XD-17", "XD-18", "DBG-02")
async def test_debug_types_over_a_stream_that_takes_no_proxys_place(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,), resources=RESOURCES) as mesh:
        mine = workload_credentials(mesh.state, Identity("cluster.local", "default", "web"))
        async with channel(mesh, mine) as chan:
            call = stream(chan)
            node = base_pb2.Node(id=NODE)
            first = discovery_pb2.DiscoveryRequest(
                node=node, type_url="istio.io/debug", resource_names=[f"edsz?proxyID={NODE}"]
            )
            await call.write(first)
            answer = discovery_pb2.DiscoveryResponse.FromString(await call.read())
            assert b"not connected" in answer.resources[0].value, "the tool itself is no proxy"
            await call.write(discovery_pb2.DiscoveryRequest(type_url="istio.io/debug", resource_names=["configz"]))
            answer = discovery_pb2.DiscoveryResponse.FromString(await call.read())
            assert b"may not see" in answer.resources[0].value
            assert not mesh.hub.connections
        async with channel(mesh, mine) as chan:
            call = stream(chan)
            await call.write(discovery_pb2.DiscoveryRequest(node=node, type_url=CLUSTER))
            await call.read()
            await call.write(discovery_pb2.DiscoveryRequest(type_url="istio.io/debug/syncz"))
            answer = discovery_pb2.DiscoveryResponse.FromString(await call.read())
            assert answer.type_url == "istio.io/debug/syncz"
            assert len(answer.resources) == 1, "a proxy may ask, too, beside its own configuration"


async def test_nobody_asks_for_debug_types_in_plain_text(tmp_path: Path) -> None:
    async with (
        control_plane(tmp_path, objects=(WEB,), resources=RESOURCES) as mesh,
        grpc.aio.insecure_channel(f"127.0.0.1:{mesh.ports.plaintext}") as chan,
    ):
        call = stream(chan)
        await call.write(
            discovery_pb2.DiscoveryRequest(
                node=base_pb2.Node(id=NODE), type_url="istio.io/debug", resource_names=["syncz"]
            )
        )
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call.read()
        assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
