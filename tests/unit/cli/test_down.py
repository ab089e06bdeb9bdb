from __future__ import annotations

from pathlib import Path

import pytest

from mizzen.lab import cleanup
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is left on a pretended machine; the real one is not touched."""
    left: list[str] = []
    monkeypatch.setattr(cleanup, "clean", lambda mesh, state, purge: None)
    monkeypatch.setattr(cleanup, "leftovers", lambda mesh, state: left)
    return left


def test_a_running_mesh_is_ended(mesh: FakeMesh, mizzen: Mizzen, machine: list[str]) -> None:
    assert mizzen("down", "--drain", "--purge") == (0, "mesh default is down\n", "")
    assert mesh.stopped
    assert mesh.requests[0] == ("POST", "/v1/down", {"purge": True, "drain": True})


def test_a_dead_mesh_is_cleaned_up_after(state: Path, mizzen: Mizzen, machine: list[str]) -> None:
    assert mizzen("down", "--verify").out == "mesh default was not running\nnothing of it is left on this machine\n"
    machine.append("network namespace mizzen-default")
    result = mizzen("down", "--verify")
    assert "mesh default is down: its supervisor was dead, what it left behind is removed (1 found)" in result.out
    assert result.code == 3
    assert "left behind: network namespace mizzen-default" in result.err
