"""The names of networks' gateways, from a Service to the addresses that proxies are given."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mizzen.controlplane import compiler
from tests.fakes.controlplane import ControlPlane, control_plane, until
from tests.meshes import new

GATEWAY = new(
    "v1",
    "Service",
    "istio-system",
    "eastwest",
    {"type": "LoadBalancer", "clusterIP": "10.96.0.77", "ports": [{"name": "tls", "port": 15443}]},
    meta={"labels": {"topology.istio.io/network": "east"}},
    status={"loadBalancer": {"ingress": [{"hostname": "localhost"}]}},
)


def addresses(mesh: ControlPlane) -> set[str]:
    assert mesh.hub.current is not None
    return {gateway.address for gateway in mesh.hub.current.snapshot.networks.gateways}


@pytest.mark.row("MN-02")
async def test_names_are_looked_up_unless_that_is_switched_off(tmp_path: Path) -> None:
    async with control_plane(tmp_path, objects=(GATEWAY,), core=compiler()) as mesh:
        await until(lambda: "127.0.0.1" in addresses(mesh))
    (tmp_path / "off").mkdir()
    async with control_plane(tmp_path / "off", objects=(GATEWAY,), core=compiler(), resolve_gateways=False) as mesh:
        await asyncio.sleep(0.3)
        assert addresses(mesh) == set()
