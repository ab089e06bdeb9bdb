from __future__ import annotations

from pathlib import Path

import pytest

from mizzen.cli import up
from mizzen.cli.up import Progress
from mizzen.lab import settings
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


def test_a_running_mesh_says_that_it_does_not_read_other_settings(
    mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mizzen.yaml").write_text("hosts: {ext.test: 10.0.0.1}\n")
    mesh.status["settings"] = settings.digest({})
    result = mizzen("up", "--detach")
    assert result.code == 0
    assert "Warning: the mesh runs with other settings than those of mizzen.yaml" in result.err
    asked = mizzen("up", "--detach", "--config", "mizzen.yaml")
    assert asked.code == 1
    assert "`mizzen down`, then `mizzen up --config mizzen.yaml`" in asked.err
    mesh.status["settings"] = settings.digest({"hosts": {"ext.test": "10.0.0.1"}})
    same = mizzen("up", "--detach", "--config", "mizzen.yaml")
    assert (same.code, "settings" in same.err) == (0, False)


def test_pods_that_cannot_start_as_they_are_written_are_not_waited_for_to_the_end(
    mesh: FakeMesh, mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(up, "_STUCK_SECONDS", 0.0)
    mesh.waiting, mesh.stuck = ["pod default/x: no program is known for image nothing"], True
    result = mizzen("up", "--detach", "--timeout", "600s")
    assert (result.code, result.out) == (4, "")
    assert "not ready: pod default/x: no program is known" in result.err


@pytest.mark.row("GW-31")
def test_a_running_mesh_keeps_its_authorization_mode(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.status["authorizationMode"] = "AlwaysAllow"
    assert mizzen("up", "--detach", "--authorization-mode", "AlwaysAllow").code == 0
    result = mizzen("up", "--detach", "--authorization-mode", "RBAC")
    assert result.code == 1
    assert "the mesh runs with --authorization-mode AlwaysAllow" in result.err
    assert "`mizzen up --authorization-mode RBAC`" in result.err
