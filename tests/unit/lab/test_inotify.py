"""Room for every Envoy's watches, undone afterwards."""

from pathlib import Path

from mizzen.lab import inotify


def test_a_low_limit_is_raised_and_put_back(tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    limit.write_text("128\n")
    former = inotify.make_room(limit)
    assert (former, limit.read_text()) == ("128", str(inotify.ENOUGH))
    inotify.restore(former, limit)
    assert limit.read_text() == "128"


def test_a_high_limit_is_left_alone(tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    limit.write_text("65536\n")
    assert inotify.make_room(limit) == ""
    inotify.restore("", limit)
    assert limit.read_text() == "65536\n"


def test_what_somebody_else_has_set_since_stays(tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    limit.write_text("128")
    former = inotify.make_room(limit)
    limit.write_text("500")
    inotify.restore(former, limit)
    assert limit.read_text() == "500"


def test_a_kernel_without_the_limit(tmp_path: Path) -> None:
    assert inotify.make_room(tmp_path / "absent") == ""
