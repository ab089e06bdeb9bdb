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


def test_room_for_proxies_is_counted_by_the_inotify_instances_of_their_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor.watches(tmp_path).ok, "a kernel that tells no limit"
    monkeypatch.setattr("os.access", lambda path, mode: False)
    limit = tmp_path / "sys" / "fs" / "inotify" / "max_user_instances"
    limit.parent.mkdir(parents=True)
    limit.write_text("128\n")
    for process, count in (("1", 30), ("22", 30)):
        (tmp_path / process / "fd").mkdir(parents=True)
        for number in range(count):
            (tmp_path / process / "fd" / str(number)).symlink_to("anon_inode:inotify")
        (tmp_path / process / "fd" / "99").symlink_to("socket:[1]")
    monkeypatch.setattr(doctor, "PROXY_USER", (tmp_path / "1").stat().st_uid)
    assert doctor.watches(tmp_path).detail.endswith("inotify has room for 34 more proxies")
    limit.write_text("64\n")
    check = doctor.watches(tmp_path)
    assert "room for 2 more proxies" in check.problem
    assert "sysctl -w fs.inotify.max_user_instances" in check.next_step
    monkeypatch.setattr("os.access", lambda path, mode: True)
    assert doctor.watches(tmp_path).ok, "the mesh will raise it"
