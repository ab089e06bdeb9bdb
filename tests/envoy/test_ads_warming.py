"""What keeps the clusters of a real Envoy warm: endpoints that come again, on this stream or on the next."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from mizzen.model.resources import CLUSTER, ResourceSet
from mizzen.server.control import Ports
from mizzen.server.wait import wait
from mizzen.xds import DeltaSession
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

pytestmark = pytest.mark.envoy
WEB = pod("default", "web-0")
QUICK = 2.0
"""Seconds; less than a session's patience."""


async def warming(admin: str) -> int:
    stats = json.loads((await get(f"{admin}/stats?filter=^cluster_manager.warming_clusters$&format=json"))[1])
    return int(stats["stats"][0]["value"])


@pytest.mark.row("XD-02")
async def test_a_stream_that_breaks_between_a_cluster_and_its_endpoints_leaves_nothing_warming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envoy then asks for no clusters on the new stream, and for endpoints with the versions that it has."""
    async with backend("one") as one:
        port, secure = free_port(), free_port()

        def world(timeout: int) -> ResourceSet:
            return ResourceSet.of(
                [cluster("v1", timeout), endpoints("v1", one), listener("l", port, "r"), route("r", "v1")]
            )

        ports = Ports(secure=secure, plaintext=0, monitoring=0, https=0, http=0)
        async with control_plane(tmp_path, ports=ports, objects=(WEB,), resources=world(1)) as mesh:
            envoy = running_envoy(tmp_path, Credentials(mesh.state, secure))
            admin = await envoy.__aenter__()
            await until(lambda: NODE in mesh.hub.connections)
            assert (await wait(mesh.hub, 1, 10)).done
            # The control plane ends before the endpoints are on their way.
            monkeypatch.setattr(DeltaSession, "_endpoints_again", lambda self, clusters: None)
            await mesh.publish(world(2))
            await until(lambda: warming(admin))
        monkeypatch.undo()
        try:
            async with control_plane(tmp_path, ports=ports, objects=(WEB,), resources=world(2)) as mesh:

                async def warm() -> bool:
                    return await warming(admin) == 0

                await until(lambda: NODE in mesh.hub.connections, 60)
                await until(warm)
                await until(lambda: CLUSTER in mesh.hub.connections[NODE].session.status())
                started = time.monotonic()
                verdict = await wait(mesh.hub, await mesh.publish(world(3)), 10)
                assert verdict.acked == [NODE]
                assert time.monotonic() - started < QUICK
                assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
        finally:
            await envoy.__aexit__(None, None, None)


@pytest.mark.row("XD-02", "XD-07")
async def test_nothing_waits_after_refusals_and_for_clusters_without_endpoints(tmp_path: Path) -> None:
    async with backend("one") as one:
        port, other, broken = free_port(), free_port(), broken_listener("l")
        rest = [endpoints("v1", one), route("r", "v1")]
        good = [*rest, listener("l", port, "r")]
        worlds = [
            ([*good, cluster("v1")], []),
            ([*rest, broken, cluster("v1")], ["l"]),
            ([*rest, broken, cluster("v1", 2)], []),
            # Changed, and its endpoints gone at the same moment: Envoy warms it when it hears that there are none.
            ([route("r", "v1"), broken, cluster("v1", 3)], []),
            ([*rest, broken, cluster("v1", 4)], []),
            ([*good, cluster("v1", 4), listener("m", other, "r")], []),
            ([*good, cluster("v1", 5)], []),
        ]
        async with (
            control_plane(tmp_path, objects=(WEB,)) as mesh,
            running_envoy(tmp_path, Credentials(mesh.state, mesh.ports.secure)),
        ):
            await until(lambda: NODE in mesh.hub.connections)
            for resources, refused in worlds:
                started = time.monotonic()
                verdict = await wait(mesh.hub, await mesh.publish(ResourceSet.of(resources)), 10)
                assert verdict.done
                assert [entry["resource"] for entry in verdict.refused] == refused
                assert time.monotonic() - started < QUICK
            assert await get(f"http://127.0.0.1:{port}/") == (200, "one")
