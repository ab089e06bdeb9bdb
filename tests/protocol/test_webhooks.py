"""The webhooks of a running control plane, over HTTPS: reviews of an API server, and what strangers send."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mizzen.api.kubernetes import Opaque
from mizzen.api.meta import Object, ObjectMeta
from mizzen.inject import InjectSettings, inject
from mizzen.server import webhooks
from tests.fakes.controlplane import ControlPlane, control_plane, until
from tests.protocol.test_services import https
from tests.unit.inject.pods import NAMESPACE, env, pod
from tests.unit.inject.test_patch import apply
from tests.unit.server.test_reviews import body
from tests.unit.server.test_webhooks import rule

JSON = {"content-type": "application/json"}
SHOP = Object(kind="Namespace", meta=ObjectMeta(name="shop", labels={"istio-injection": "enabled"}), body=Opaque())


async def ask(client: aiohttp.ClientSession, url: str, data: Any, headers: Any = JSON) -> tuple[int, dict[str, Any]]:
    data = io.BytesIO(data) if isinstance(data, bytes) else data
    async with asyncio.timeout(20), client.post(url, data=data, headers=headers) as response:
        text = await response.text()
        return response.status, json.loads(text)["response"] if response.status == 200 else {}


async def metrics(mesh: ControlPlane) -> dict[str, float]:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{mesh.ports.monitoring}/metrics") as response,
    ):
        lines = (await response.text()).splitlines()
    found = (line.rpartition(" ") for line in lines if line.startswith(("sidecar_injection", "galley")))
    return {name: float(value) for name, _, value in found}


@pytest.mark.row("PO-15", "IJ-06", "IJ-10", "IJ-12")
async def test_pods_are_injected_left_alone_and_refused(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(SHOP,)) as mesh:
        client, base = https(mesh)
        async with client:
            for version in ("v1", "v1beta1"):
                status, answer = await ask(client, f"{base}/inject", body(f"admission.k8s.io/{version}", object=pod()))
                assert (status, answer["allowed"], answer["uid"]) == (200, True, "u1")
                patch = json.loads(base64.b64decode(answer["patch"]))
                assert apply(pod(), patch) == inject(pod(), NAMESPACE, InjectSettings()).pod
            _, answer = await ask(client, f"{base}/inject/cluster/east/:x/a--slash--b", body(object=pod()))
            done = apply(pod(), json.loads(base64.b64decode(answer["patch"])))
            assert (env(done)["ISTIO_META_CLUSTER_ID"], env(done)[":X"]) == ("east", "a/b")
            _, answer = await ask(client, f"{base}/inject", body(object=pod(hostNetwork=True)))
            assert answer == {"uid": "u1", "allowed": True}
            _, answer = await ask(client, f"{base}/inject", body(object=pod({"sidecar.istio.io/proxyCPU": "x"})))
            assert not answer["allowed"]
            assert "sidecar.istio.io/proxyCPU" in answer["status"]["message"]
            assert (await ask(client, f"{base}/inject", b""))[0] == 400
        counted = await metrics(mesh)
        names = ("requests_total", "success_total", "skip_total", "failure_total", "time_seconds_count")
        assert [counted[f"sidecar_injection_{name}"] for name in names] == [6, 5, 1, 2, 5]


@pytest.mark.row("PO-15")
async def test_objects_are_validated(tmp_path: Path) -> None:
    async with control_plane(tmp_path) as mesh:
        client, base = https(mesh)
        async with client:
            bad = rule(host="", trafficPolicy={"connectionPool": {"tcp": {"maxConnections": -1}}})
            _, answer = await ask(client, f"{base}/validate", body(object=bad))
            assert not answer["allowed"]
            for path in ("spec.host", "spec.trafficPolicy.connectionPool.tcp.maxConnections"):
                assert path in answer["status"]["message"]
            _, answer = await ask(client, f"{base}/validate", body(object=rule()))
            assert answer["allowed"]
            _, answer = await ask(client, f"{base}/validate", body(operation="DELETE", object=None, oldObject=bad))
            assert answer["allowed"]
            assert (await ask(client, f"{base}/validate", b"{"))[0] == 400
            odd = {**rule(), "apiVersion": "networking.istio.io/v77"}
            assert not (await ask(client, f"{base}/validate", body(object=odd)))[1]["allowed"]
        counted = await metrics(mesh)
    rest = 'resource="destinationrules",version="v1"'
    of = f'group="networking.istio.io",{rest}'
    assert counted[f"galley_validation_passed{{{of}}}"] == 1
    assert counted[f'galley_validation_failed{{group="networking.istio.io",reason="invalid_resource",{rest}}}'] == 1
    assert counted['galley_validation_http_error{status="400"}'] == 1
    assert "v77" not in str(counted), "a stranger cannot make counters without end"


@pytest.mark.row("PO-15", "IJ-10")
async def test_what_strangers_send_is_refused_and_the_honest_are_served(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(SHOP,)) as mesh:
        client, base = https(mesh)
        async with client:
            for hook in ("inject", "validate"):
                for data, headers, status in (
                    (b"", JSON, 400),
                    (b"{", JSON, 400),
                    (b"[" * 100_000, JSON, 400),
                    (b'{"a":' * 5000 + b"1" + b"}" * 5000, JSON, 400),
                    (b"1" * 100_000, JSON, 400),
                    (body(object=pod()), {"content-type": "text/plain"}, 415),
                    (body(object=pod()), {"content-type": "application/x-www-form-urlencoded"}, 415),
                    (body(object="x" * webhooks.BODY_LIMIT), JSON, 413),
                    (body(object={"metadata": 7, "kind": "Pod", "spec": [1]}), JSON, 200),
                ):
                    assert (await ask(client, f"{base}/{hook}", data, headers))[0] == status, (hook, data[:20])
                async with client.get(f"{base}/{hook}") as response:
                    assert response.status == 405
            status, answer = await ask(client, f"{base}/inject", body(object=pod()))
            assert (status, answer["allowed"], "patch" in answer) == (200, True, True)


async def endless(stop: asyncio.Event) -> Any:
    yield b"{"
    await stop.wait()


@pytest.mark.row("PO-15")
async def test_one_caller_has_so_many_reviews_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "PER_CALLER", 4)
    stop, base = asyncio.Event(), ""
    async with control_plane(tmp_path, objects=(SHOP,)) as mesh:
        client, base = https(mesh)
        statuses: list[int] = []

        async def hold() -> None:
            statuses.append((await ask(client, f"{base}/inject", endless(stop)))[0])

        async with client, asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(hold())
            await until(lambda: statuses)
            assert statuses == [429]
            stop.set()
        assert sorted(statuses) == [400] * 4 + [429]


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = webhooks.Webhooks.__init__
    monkeypatch.setattr(
        webhooks.Webhooks, "__init__", lambda self, *args, **named: original(self, *args, **{**named, "seconds": 0.2})
    )
    stop = asyncio.Event()
    async with control_plane(tmp_path) as mesh:
        client, base = https(mesh)
        async with client:
            assert (await ask(client, f"{base}/validate", endless(stop)))[0] == 408
