"""Paths below a pod's root; mounts are tried in tests/e2e."""

from pathlib import Path

from mizzen.lab.rootfs import within


def test_absolute_links_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "run").symlink_to("/run")
    assert within(str(tmp_path), "/var/run/secrets/tokens") == f"{tmp_path}/run/secrets/tokens"


def test_nothing_leads_above_the_root(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("../../../etc")
    assert within(str(tmp_path), "/out/passwd") == f"{tmp_path}/etc/passwd"
    assert within(str(tmp_path), "/../../etc") == f"{tmp_path}/etc"


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    assert within(str(tmp_path), "/a").startswith(str(tmp_path))
