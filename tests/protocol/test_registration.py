"""A workload registers itself over the control plane's real ports, and its agent reports health by both ways."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.api.decode import decode
from mizzen.model.identity import Identity
from mizzen.model.resources import CLUSTER
from mizzen.server.ads import HEALTH
from tests.fakes.controlplane import ControlPlane, control_plane, until, workload_credentials
from tests.fakes.entries import FakeEntries
from tests.protocol.test_services import STREAM, channel, https

NODE = "sidecar~10.0.0.9~vm-1.vms~vms.svc.cluster.local"
METADATA = {
    "NAMESPACE": "vms",
    "SERVICE_ACCOUNT": "db",
    "AUTO_REGISTER_GROUP": "db",
    "PROXY_CONFIG": {"readinessProbe": {"httpGet": {"port": 80}}},
}
NAME = "db-10.0.0.9"
_FOUND = decode(
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadGroup",
        "metadata": {"name": "db", "namespace": "vms", "uid": "g1"},
        "spec": {"template": {"serviceAccount": "db"}},
    }
).object
assert _FOUND is not None
GROUP = _FOUND


def first() -> discovery_pb2.DiscoveryRequest:
    node = base_pb2.Node(id=NODE)
    node.metadata.update(METADATA)
    return discovery_pb2.DiscoveryRequest(type_url=CLUSTER, node=node)


def stream(chan: grpc.aio.Channel) -> Any:
    return chan.stream_stream(
        STREAM,
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=discovery_pb2.DiscoveryResponse.FromString,
    )()


@asynccontextmanager
async def connected(mesh: ControlPlane, account: str = "db") -> AsyncIterator[Any]:
    mine = workload_credentials(mesh.state, Identity("cluster.local", "vms", account))
    async with channel(mesh, mine) as chan:
        call = stream(chan)
        await call.write(first())
        yield call


@pytest.mark.row("WE-06", "VM-03", "AG-13", "VM-04")
async def test_a_stream_makes_an_entry_that_goes_with_it(tmp_path: Path) -> None:
    entries = FakeEntries(tmp_path / "entries")
    grace = timedelta(milliseconds=50)
    async with control_plane(tmp_path, objects=(GROUP,), entries=entries, entry_grace=grace) as mesh:
        async with connected(mesh) as call:
            await call.read()
            assert entries.names() == [NAME]
            await call.write(discovery_pb2.DiscoveryRequest(type_url=HEALTH))
            await until(lambda: entries.health(NAME) == ("True", ""))
            bad = discovery_pb2.DiscoveryRequest(type_url=HEALTH)
            bad.error_detail.message = "connection refused"
            await call.write(bad)
            await until(lambda: entries.health(NAME) == ("False", "connection refused"))
        await until(lambda: not entries.names())


@pytest.mark.row("WE-06", "VM-03")
async def test_who_may_not_register_and_with_which_code(tmp_path: Path) -> None:
    entries = FakeEntries(tmp_path / "entries")
    async with control_plane(tmp_path, entries=entries) as mesh:
        async with connected(mesh) as call:
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await call.read()
            assert failed.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        await mesh.publish(mesh.world["*"], put=(GROUP,))
        await until(lambda: mesh.hub.config is not None and mesh.hub.config.of("WorkloadGroup"))
        async with connected(mesh) as call:
            await call.read()
            assert entries.names() == [NAME]


@pytest.mark.row("VM-04")
async def test_an_agent_reports_health_over_https_for_its_own_entry_alone(tmp_path: Path) -> None:
    entries = FakeEntries(tmp_path / "entries")
    account = decode(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "db", "namespace": "vms", "uid": "u"}}
    ).object
    assert account is not None
    async with control_plane(tmp_path, objects=(GROUP, account), entries=entries) as mesh:
        client, base = https(mesh)
        claims = {"kubernetes.io": {"namespace": "vms", "serviceaccount": {"name": "db", "uid": "u"}}}
        token = {"authorization": f"Bearer {mesh.tokens.token('vms', 'db', '', **claims)}"}
        query = {"node": NODE, "metadata": json.dumps(METADATA)}

        async def report(body: dict[str, Any], **changes: str) -> int:
            async with client.post(
                f"{base}/agent/v1/health", params={**query, **changes}, json=body, headers=token
            ) as answer:
                return answer.status

        async with client:
            assert await report({"ready": True}) == 409
            async with connected(mesh) as call:
                await call.read()
                assert await report({"ready": False, "message": "exit code 1"}) == 200
                assert entries.health(NAME) == ("False", "exit code 1")
                assert await report({"ready": True}) == 200
                assert entries.health(NAME) == ("True", "")
                other = json.dumps({**METADATA, "NAMESPACE": "shop"})
                assert await report({"ready": False}, metadata=other) == 403
                entries.broken = True
                assert await report({"ready": False}) == 503
                entries.broken = False
                assert entries.health(NAME) == ("True", "")
