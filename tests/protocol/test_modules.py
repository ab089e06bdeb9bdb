"""The poll for modules and the stream of the same proxy, on a real control plane."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from envoy.config.core.v3 import base_pb2, extension_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import json_format

from mizzen.controlplane import compiler
from mizzen.model.resources import EXTENSION_CONFIG
from tests.fakes.controlplane import ControlPlane, control_plane, pod
from tests.meshes import new
from tests.protocol.test_services import NODE, channel, https

WEB = pod("default", "web-0", account="web")
PLUGIN = new(
    "extensions.istio.io/v1alpha1",
    "WasmPlugin",
    "default",
    "p",
    {"url": "r.example/x:v1", "imagePullSecret": "pull", "failStrategy": "FAIL_OPEN"},
)
SECRET = new(
    "v1",
    "Secret",
    "default",
    "pull",
    {},
    type="kubernetes.io/dockerconfigjson",
    data={".dockerconfigjson": base64.b64encode(b'{"auths": {}}').decode()},
)
DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
NAME = "extensions.istio.io/trafficextension/default.p~istio-translated-wasmplugin"


async def poll(
    client: aiohttp.ClientSession, mesh: ControlPlane, *, node: str = NODE, version: str = "", modules: Any = None
) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": f"Bearer {mesh.tokens.token('default', 'web', 'web-0')}"}
    url = f"https://127.0.0.1:{mesh.ports.https}/agent/v1/modules"
    body = {"node": node, "boot": "life", "version": version, "modules": {} if modules is None else modules}
    async with asyncio.timeout(10), client.post(url, headers=headers, json=body) as response:
        return response.status, await response.json()


@pytest.mark.row("AG-12", "WP-02", "WP-04")
async def test_a_report_turns_what_the_stream_carries_into_the_file(tmp_path: Path) -> None:
    objects = (WEB, PLUGIN, SECRET)
    async with control_plane(tmp_path, objects=objects, core=compiler()) as mesh, channel(mesh) as chan:
        client, _ = https(mesh)
        stream = chan.stream_stream(
            DELTA,
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )(metadata=[("authorization", f"Bearer {mesh.tokens.token('default', 'web', 'web-0')}")])
        node = base_pb2.Node(id=NODE)
        json_format.ParseDict({"MIZZEN_BOOT": "life"}, node.metadata)
        asked = discovery_pb2.DeltaDiscoveryRequest(
            type_url=EXTENSION_CONFIG, node=node, resource_names_subscribe=[NAME]
        )
        await stream.write(asked)

        async def received() -> str:
            async with asyncio.timeout(10):
                answer = await stream.read()
            await stream.write(
                discovery_pb2.DeltaDiscoveryRequest(type_url=EXTENSION_CONFIG, response_nonce=answer.nonce)
            )
            (resource,) = answer.resources
            assert b"auths" not in resource.resource.value
            config = extension_pb2.TypedExtensionConfig()
            assert resource.resource.Unpack(config)
            return f"{config.typed_config.type_url} {config.typed_config.value!r}"

        assert "rbac" in await received()
        async with client:
            status, answer = await poll(client, mesh)
            assert status == 200
            (wanted,) = answer["modules"]
            assert (wanted["url"], wanted["auth"]) == ("oci://r.example/x:v1", '{"auths": {}}')
            async with asyncio.TaskGroup() as group:
                states = {wanted["key"]: {"sha256": "a" * 64}}
                waiting = group.create_task(poll(client, mesh, version=answer["version"], modules=states))
                assert f"/var/lib/istio/data/{'a' * 64}.wasm" in await received()
                done, _ = await asyncio.wait([waiting], timeout=0.2)
                assert not done, "nothing new to fetch"
                again = new(
                    "extensions.istio.io/v1alpha1", "WasmPlugin", "default", "p", {"url": "http://h.example/y.wasm"}
                )
                await mesh.publish(mesh.world["*"], put=(again,))
            _, later = waiting.result()
            assert [(m["url"], "auth" in m) for m in later["modules"]] == [("http://h.example/y.wasm", False)]
        stream.cancel()


@pytest.mark.row("AG-12")
async def test_an_agent_speaks_for_its_own_proxy_and_makes_sense(tmp_path: Path) -> None:
    objects = (WEB, pod("default", "other-0", account="web"), pod("bank", "vault-0", account="vault"))
    async with control_plane(tmp_path, objects=objects, core=compiler()) as mesh:
        client, _ = https(mesh)
        async with client:
            assert (await poll(client, mesh)) == (
                200,
                {"version": (await poll(client, mesh))[1]["version"], "modules": []},
            )
            for node in (
                "sidecar~10.0.0.2~other-0.default~default.svc.cluster.local",
                "sidecar~10.0.0.3~vault-0.bank~bank.svc.cluster.local",
            ):
                assert (await poll(client, mesh, node=node))[0] == 403
            for node, modules in (("", {}), ("nonsense", {}), (NODE, []), (NODE, {"x": {}}), (NODE, {"0" * 32: 1})):
                assert (await poll(client, mesh, node=node, modules=modules))[0] == 400
