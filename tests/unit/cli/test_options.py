from __future__ import annotations

from pathlib import Path

import click
import pytest

from mizzen.cli.options import Seconds, state_directory


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("2", 2), ("1h", 3600)])
def test_durations(text: str, seconds: float) -> None:
    assert Seconds().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 s", "1d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Seconds().convert(text, None, None)


def test_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIZZEN_STATE", "/srv/m")
    assert state_directory("demo") == Path("/srv/m/demo")
    monkeypatch.setenv("MIZZEN_STATE", "")
    assert state_directory("demo") == Path("/var/lib/mizzen/demo")
