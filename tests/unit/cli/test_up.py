from __future__ import annotations

from pathlib import Path

import pytest

from mizzen.cli.up import Progress
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh
from tests.unit.cli.test_apply import FINDING, GOOD
from tests.unit.cli.test_ps import POD


def test_on_a_running_mesh_the_files_are_applied(mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    mesh.status["pods"] = [POD]
    result = mizzen("up", "-f", str(tmp_path), "--detach")
    assert result.code == 0
    assert "virtualservice.networking.istio.io/reviews created" in result.out
    assert "mesh default is ready: 1 pods" in result.out
    assert "default/reviews-x" in result.err
    assert ("VirtualService", "default", "reviews") in mesh.objects


def test_what_is_not_ready_is_told_with_4(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.waiting = ["pod default/x: command /no/such does not exist"]
    result = mizzen("up", "--detach", "--timeout", "0s")
    assert (result.code, result.out) == (4, "")
    assert "not ready: pod default/x: command /no/such does not exist" in result.err
    assert "next: `mizzen ps`" in result.err


def test_a_refused_object_is_1_and_the_mesh_is_up(mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    mesh.refuse["reviews"] = {**FINDING, "name": "reviews"}
    result = mizzen("up", "-f", str(tmp_path / "a.yaml"), "--detach")
    assert result.code == 1
    assert "is ready" in result.out


def test_progress_in_a_pipe_is_a_line_per_pod_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.update([POD, {**POD, "name": "late", "ready": False}], ["pod default/late: starting"])
    progress.update([POD, {**POD, "name": "late"}], [])
    progress.close()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["default/reviews-x 10.1.0.5", "default/late 10.1.0.5"]
