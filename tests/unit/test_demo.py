"""What the tour says at its end: its exit code is the sum of its lines."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

TOUR = Path(__file__).parents[2] / "demo" / "tour.py"


@pytest.fixture
def tour() -> Any:
    spec = importlib.util.spec_from_file_location("tour", TOUR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("lines", "stops", "code"), [((True, True), False, 0), ((True, False), False, 1), ((True,), True, 1), ((), True, 2)]
)
def test_its_exit_code_is_nought_only_when_every_line_is_true(
    tour: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any, lines: tuple[bool, ...], stops: bool, code: int
) -> None:
    def topics(shown: Any) -> str:
        for number, true in enumerate(lines):
            shown.line(true, f"line {number}", "measured")
        if stops:
            raise tour.Stop("the mesh is gone")
        return "http://127.0.0.1:8080"

    monkeypatch.setattr(tour, "topics", topics)
    monkeypatch.setattr(tour.sys.stdout, "reconfigure", lambda **_: None, raising=False)
    assert tour.main() == code
    told = capsys.readouterr()
    if stops:
        assert "the mesh is gone" in told.err
    else:
        assert f"{sum(lines)} of {len(lines)} lines true" in told.out
        assert ("✗ line 1: measured" in told.out) is (code == 1)


def test_an_answer_that_does_not_come_is_waited_for_and_then_said(tour: Any) -> None:
    answers = iter([1, 2, 3])
    assert tour.eventually(lambda: next(answers), lambda answer: answer == 3) == 3
    assert tour.eventually(lambda: 4, lambda answer: answer == 3, seconds=0.05) == 4
