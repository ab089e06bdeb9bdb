from __future__ import annotations

from pathlib import Path

import click
import pytest

from mizzen.cli.connection import control_plane, finder, lab
from mizzen.lab.client import NotRunning
from tests.unit.cli.fake_mesh import FakeMesh, pod


def test_the_objects_of_one_command_are_read_once(mesh: FakeMesh) -> None:
    mesh.put(pod("p"))
    with click.Context(click.Command("get")):
        find = finder(lab())
    assert [raw["metadata"]["name"] for raw in find("Pod", "default", "p")] == ["p"]
    assert find("Pod", "default", "p") is find("Pod", "default", "p")
    assert len([path for _, path, _ in mesh.requests if path == "/v1/objects"]) == 1


def test_a_mesh_that_does_not_run_is_said(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZEN_STATE", str(state))
    with click.Context(click.Command("get")):
        supervisor, plane = lab(), control_plane()
    with pytest.raises(NotRunning):
        supervisor.status()
    with pytest.raises(NotRunning):
        plane.syncz()
