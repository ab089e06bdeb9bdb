from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from mizzen.cli import doctor
from tests.unit.cli.conftest import Mizzen


def test_a_missing_program_is_named_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None if name == "nft" else f"/sbin/{name}")
    check = doctor.packet_filter()
    assert (check.ok, check.problem) == (False, "missing: nft")
    assert "apt-get install" in check.next_step


def test_no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "sudo" in doctor.root().next_step


def test_a_taken_port_is_said_and_no_failure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        check = doctor.room(tmp_path / "mesh", taken.getsockname()[1])
    assert check.ok
    assert "is taken" in check.detail


@pytest.mark.envoy
def test_the_pinned_envoy_runs() -> None:
    assert doctor.envoy().ok


def test_a_failed_check_is_3(mizzen: Mizzen, monkeypatch: pytest.MonkeyPatch) -> None:
    good = doctor.Check("x", "fine")
    for name in ("packet_filter", "kernel", "envoy"):
        monkeypatch.setattr(doctor, name, lambda: good)
    monkeypatch.setattr(doctor, "root", lambda: good)
    assert mizzen("doctor").code == 0
    monkeypatch.setattr(doctor, "root", lambda: doctor.Check("root", "", "not root", "run with sudo"))
    result = mizzen("doctor")
    assert result.code == 3
    assert "FAILED  root: not root\n        next: run with sudo" in result.out
    assert [check["ok"] for check in json.loads(mizzen("doctor", "-o", "json").out)] == [False, True, True, True, True]
