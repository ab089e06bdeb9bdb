"""Control groups as a tree of directories."""

from pathlib import Path

from mizzen.lab import cgroups


def test_processes_at_and_below_a_group(tmp_path: Path) -> None:
    (tmp_path / "pod-1").mkdir()
    (tmp_path / "cgroup.procs").write_text("3\n")
    (tmp_path / "pod-1" / "cgroup.procs").write_text("7\n5\n")
    assert cgroups.processes(tmp_path) == [3, 5, 7]


def test_empty_groups_are_removed_the_deepest_first(tmp_path: Path) -> None:
    (tmp_path / "mesh" / "pod" / "below").mkdir(parents=True)
    assert cgroups.remove(tmp_path / "mesh")
    assert not (tmp_path / "mesh").exists()
    assert cgroups.remove(tmp_path / "mesh"), "nothing there is as good"


def test_a_group_in_use_stays(tmp_path: Path) -> None:
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "busy").write_text("a file stands for what the kernel refuses to remove")
    assert not cgroups.remove(tmp_path / "mesh")


def test_killing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    cgroups.kill(tmp_path / "nothing")
    assert cgroups.processes(tmp_path / "nothing") == []
