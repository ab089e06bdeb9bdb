"""The real Envoy on our discovery service: delta ADS over mTLS with file SDS (product decision 2)."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mizzen.model.resources import CLUSTER, LISTENER, ResourceSet
from mizzen.server.wait import wait
from tests.envoy.ads_world import (
    NODE,
    Credentials,
    backend,
    broken_listener,
    cluster,
    endpoints,
    get,
    listener,
    route,
    running_envoy,
)
from tests.envoy.loopback import free_port
from tests.fakes.controlplane import control_plane, pod, until
from tests.fakes.serve import dump

pytestmark = pytest.mark.envoy


@pytest.mark.row("XD-01", "XD-02", "XD-06", "CA-05")
async def test_envoy_gets_its_configuration_and_a_switch_costs_no_request(tmp_path: Path) -> None:
    async with backend("one") as one, backend("two") as two:
        port = free_port()
        first = ResourceSet.of([cluster("v1"), endpoints("v1", one), listener("l", port, "r"), route("r", "v1")])
        async with (
            control_plane(tmp_path, objects=(pod("default", "web-0"),), resources=first) as mesh,
            running_envoy(tmp_path, Credentials(mesh.state, mesh.ports.secure)),
        ):
            await until(lambda: NODE in mesh.hub.connections)
            verdict = await wait(mesh.hub, 1, 10)
            assert verdict.done
            assert verdict.acked == [NODE]
            assert await get(f"http://127.0.0.1:{port}/") == (200, "one")

            answers: list[tuple[int, str]] = []

            async def load(stop: asyncio.Event) -> None:
                while not stop.is_set():
                    answers.append(await get(f"http://127.0.0.1:{port}/"))
                    await asyncio.sleep(0.002)

            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(load(stop))
                for turn in range(10):
                    name, target = (("v2", two), ("v1", one))[turn % 2]
                    # The old subset goes at the same moment as the new one comes and the route moves.
                    new = [cluster(name, 2 + turn), endpoints(name, target), listener("l", port, "r"), route("r", name)]
                    verdict = await wait(mesh.hub, await mesh.publish(ResourceSet.of(new)), 10)
                    assert verdict.done
                    assert verdict.acked == [NODE]
                    assert not verdict.refused
                stop.set()
            assert {status for status, _ in answers} == {200}
            assert {text for _, text in answers} == {"one", "two"}
            await until(lambda: set(mesh.hub.connections[NODE].session.versions()[CLUSTER]) == {"v1"})


PUSHED = (
    r'pilot_xds\{version="\S*"\}',
    r'pilot_xds_pushes\{type="lds"\}',
    r'pilot_xds_push_time_bucket\{le="30.0",type="lds"\}',
    r'pilot_xds_push_time_count\{type="cds"\}',
    r'pilot_xds_send_time_bucket\{le="0.1"\}',
    r'pilot_proxy_convergence_time_bucket\{le="30.0"\}',
    r'pilot_proxy_queue_time_bucket\{le="30.0"\}',
    r'pilot_debounce_time_bucket\{le="30.0"\}',
    r'pilot_pushcontext_init_seconds_bucket\{le="5.0"\}',
    r'pilot_push_triggers\{type="endpoint"\}',
    r'pilot_k8s_reg_events\{event="add",type="Pods"\}',
    r'pilot_xds_config_size_bytes_bucket\{le="1e\+06",type="\S*Listener"\}',
    "pilot_xds_recv_max",
)
"""What dashboards draw, in the text after a change that reached a proxy (row CPM-01)."""


@pytest.mark.row("XD-07", "CPM-01", "CPM-02")
async def test_a_refused_listener_is_named_and_the_others_work(tmp_path: Path) -> None:
    async with backend("one") as one:
        port = free_port()
        good = [cluster("v1"), endpoints("v1", one), listener("good", port, "r"), route("r", "v1")]
        async with (
            control_plane(tmp_path, objects=(pod("default", "web-0"),)) as mesh,
            running_envoy(tmp_path, Credentials(mesh.state, mesh.ports.secure)),
        ):
            await until(lambda: NODE in mesh.hub.connections)
            revision = await mesh.publish(ResourceSet.of([*good, broken_listener("bad")]))
            verdict = await wait(mesh.hub, revision, 10)
            assert verdict.done
            assert [(r["proxy"], r["type"], r["resource"]) for r in verdict.refused] == [(NODE, "LDS", "bad")]
            assert "no-such-filter" in verdict.refused[0]["reason"]
            assert verdict.acked == []
            assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(mesh.debug_socket))) as client:
                async with client.get("http://x/debug/syncz") as response:
                    (entry,) = await response.json()
                assert entry["types"][LISTENER]["status"] == "ERROR"
                assert "bad" in entry["types"][LISTENER]["error"]
                async with client.get("http://x/metrics") as response:
                    text = await response.text()
                    assert 'pilot_total_xds_rejects{type="lds"} 1.0' in text
                    assert f'pilot_xds_lds_reject{{err="Internal",node="{NODE}"}} 1.0' in text
                    for name in PUSHED:
                        assert re.search(rf"^{name} [0-9.]*[1-9]", text, re.MULTILINE), name
            verdict = await wait(mesh.hub, await mesh.publish(ResourceSet.of(good)), 10)
            assert verdict.done
            assert not verdict.refused


@asynccontextmanager
async def own_process(directory: Path, port: int, resources: ResourceSet) -> AsyncIterator[subprocess.Popen[bytes]]:
    dump(resources, directory / "resources.json")
    arguments = [
        sys.executable,
        "-m",
        "tests.fakes.serve",
        str(directory),
        str(port),
        str(directory / "resources.json"),
    ]
    process = subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": "src:."}, stdout=subprocess.PIPE)  # noqa: ASYNC220 - quick
    try:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def ask(directory: Path, path: str) -> Any:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(directory / "state/debug.sock"))) as client,
        client.get(f"http://x{path}") as response,
    ):
        return await response.json()


@pytest.mark.row("XD-01", "CR-01")
async def test_a_control_plane_that_was_killed_comes_back_and_sends_nothing_again(tmp_path: Path) -> None:
    async with backend("one") as one:
        port, secure = free_port(), free_port()
        good = ResourceSet.of([cluster("v1"), endpoints("v1", one), listener("good", port, "r"), route("r", "v1")])
        async with own_process(tmp_path, secure, good) as process:
            root = (tmp_path / "state/root-cert.pem").read_text()
            credentials = Credentials(tmp_path / "state", secure)
            async with running_envoy(tmp_path, credentials) as admin:

                async def connected() -> Any:
                    entries = await ask(tmp_path, "/debug/syncz")
                    return entries and len(entries[0]["types"]) == 4 and entries[0]

                await until(connected)
                assert (await ask(tmp_path, "/v1/wait?revision=1&timeout=10"))["acked"] == [NODE]
                versions = {url: of["sent_version"] for url, of in (await connected())["types"].items()}
                before = (await get(f"{admin}/stats?filter=update_success"))[1]
                process.kill()
                process.wait()
                assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
                async with own_process(tmp_path, secure, good):
                    entry = await until(connected, 60)
                    verdict = await ask(tmp_path, "/v1/wait?revision=1&timeout=10")
                    assert verdict["done"]
                    assert verdict["concerned"] == []
                    assert not [of for of in entry["resources"].values() if "sent" in of]
                    assert {of["status"] for of in entry["types"].values()} == {"SYNCED"}
                    assert versions == {url: of["acked_version"] for url, of in entry["types"].items()}
                    assert (await get(f"{admin}/stats?filter=update_success"))[1] == before
                    assert (tmp_path / "state/root-cert.pem").read_text() == root
                    assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
