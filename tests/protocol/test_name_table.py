"""The table of names on its two ways: over xDS to Istio's agents, over HTTPS to ours."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.resources import CLUSTER, NAME_TABLE, Resource, ResourceSet
from mizzen.proto.name_table import NameTable
from mizzen.xds import DeltaSession, SotwSession
from tests.fakes.controlplane import ControlPlane, control_plane, pod
from tests.protocol.test_services import NODE, STREAM, channel, https

WEB = pod("default", "web-0", account="web")
OTHER = "sidecar~10.0.0.2~other-0.default~default.svc.cluster.local"
HOST = "db.default.svc.cluster.local"


def table(ip: str) -> Resource:
    message = NameTable()
    message.table[HOST].ips.append(ip)
    return Resource.of(NAME_TABLE, "", message.SerializeToString(deterministic=True))


def world(ip: str, cluster: bytes = b"1") -> ResourceSet:
    return ResourceSet.of([Resource.of(CLUSTER, "c", cluster), table(ip)])


@pytest.mark.row("XD-13")
def test_over_incremental_xds_a_table_is_one_resource_without_a_name() -> None:
    session = DeltaSession()
    session.offer(world("10.0.0.1"), 1)
    (first,) = session.receive(discovery_pb2.DeltaDiscoveryRequest(type_url=NAME_TABLE))
    message = discovery_pb2.DeltaDiscoveryResponse.FromString(first.encode())
    assert (message.type_url, [r.name for r in message.resources]) == (NAME_TABLE, [""])
    ack = discovery_pb2.DeltaDiscoveryRequest(type_url=NAME_TABLE, response_nonce=first.nonce)
    assert session.receive(ack) == []
    assert session.offer(world("10.0.0.1", b"2"), 2) == []
    (second,) = session.offer(world("10.0.0.2", b"2"), 3)
    assert second.resources == (table("10.0.0.2"),)


@pytest.mark.row("XD-13")
def test_over_state_of_the_world_xds_no_names_mean_the_whole_table() -> None:
    session = SotwSession()
    session.offer(world("10.0.0.1"), 1)
    (first,) = session.receive(discovery_pb2.DiscoveryRequest(type_url=NAME_TABLE))
    assert first.resources == (table("10.0.0.1"),)
    assert session.receive(discovery_pb2.DiscoveryRequest(type_url=NAME_TABLE, response_nonce=first.nonce)) == []
    (second,) = session.offer(world("10.0.0.2"), 2)
    assert second.resources == (table("10.0.0.2"),)


@pytest.mark.row("XD-13")
async def test_a_client_of_another_make_reads_it(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,), resources=world("10.0.0.1")) as mesh, channel(mesh) as chan:
        stream = chan.stream_stream(
            STREAM,
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=discovery_pb2.DiscoveryResponse.FromString,
        )(metadata=[("authorization", f"Bearer {mesh.tokens.token('default', 'web', 'web-0')}")])
        await stream.write(discovery_pb2.DiscoveryRequest(type_url=NAME_TABLE, node=base_pb2.Node(id=NODE)))
        async with asyncio.timeout(10):
            answer = await stream.read()
        (packed,) = answer.resources
        assert packed.type_url == NAME_TABLE
        assert list(NameTable.FromString(packed.value).table[HOST].ips) == ["10.0.0.1"]
        stream.cancel()


async def ask(
    client: aiohttp.ClientSession, mesh: ControlPlane, node: str = NODE, **query: str
) -> tuple[int, dict[str, Any]]:
    port = mesh.ports.https
    headers = {"authorization": f"Bearer {mesh.tokens.token('default', 'web', 'web-0')}"}
    url = f"https://127.0.0.1:{port}/agent/v1/watch"
    async with asyncio.timeout(10), client.get(url, headers=headers, params={"node": node, **query}) as response:
        return response.status, await response.json()


@pytest.mark.row("DN-02", "XD-13")
async def test_our_agent_waits_for_news_of_the_table(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(WEB,), resources=world("10.0.0.1")) as mesh:
        client, _ = https(mesh)
        async with client:
            _, first = await ask(client, mesh)
            assert first["names"]["table"][HOST]["ips"] == ["10.0.0.1"]
            assert first["roots"] == [mesh.root]
            seen = {"version": first["version"], "names": first["names"]["version"]}
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(ask(client, mesh, metadata=json.dumps({"DNS_CAPTURE": "true"}), **seen))
                # What does not concern the names wakes nobody.
                await mesh.publish(world("10.0.0.1", b"2"))
                done, _ = await asyncio.wait([waiting], timeout=0.5)
                assert not done
                await mesh.publish(world("10.0.0.2", b"2"))
            _, second = waiting.result()
            assert second["names"]["table"][HOST]["ips"] == ["10.0.0.2"]
            assert second["names"]["version"] != first["names"]["version"]
            assert second["version"] == first["version"]


@pytest.mark.row("DN-02")
async def test_an_agent_reads_its_own_proxys_names_only(tmp_path: Path) -> None:
    objects = (WEB, pod("default", "other-0", account="web"), pod("bank", "vault-0", account="vault"))
    async with control_plane(tmp_path, objects=objects, resources=world("10.0.0.1")) as mesh:
        client, _ = https(mesh)
        async with client:
            assert (await ask(client, mesh))[0] == 200
            for node in (OTHER, "sidecar~10.0.0.3~vault-0.bank~bank.svc.cluster.local"):
                assert (await ask(client, mesh, node))[0] == 403
            assert (await ask(client, mesh, "nonsense"))[0] == 400
            for metadata in ("no json", "[1]", "1"):
                assert (await ask(client, mesh, metadata=metadata))[0] == 400
