from __future__ import annotations

import json

import pytest

from mizzen import ENVOY_VERSION, VERSION
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh


@pytest.mark.row("IX-01")
def test_lines(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.syncz = [
        {"proxy": "a", "version": "0.1.0"},
        {"proxy": "b", "version": "0.1.0"},
        {"proxy": "c", "version": "0.0.9"},
    ]
    assert mizzen("version").out.splitlines() == [
        f"client version: {VERSION}",
        "control plane version: 0.1.0",
        "data plane version: 0.0.9 (1 proxy), 0.1.0 (2 proxies)",
    ]
    mesh.syncz = []
    assert mizzen("version").out.splitlines()[-1] == "data plane version: none"
    document = json.loads(mizzen("version", "-o", "json").out)
    assert list(document) == ["clientVersion", "meshVersion", "dataPlaneVersion"]
    assert document["clientVersion"]["envoy"] == ENVOY_VERSION


@pytest.mark.row("IX-01")
def test_without_a_control_plane(mizzen: Mizzen) -> None:
    assert mizzen("version") == (0, f"client version: {VERSION}\n", "there is no control plane running\n")
    assert mizzen("version", "--client").err == ""
