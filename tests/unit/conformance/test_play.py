"""A case that fails is played once more, from the beginning; the rest of playing needs a mesh (``tests/e2e/test_conformance.py``)."""

from typing import Any

import pytest

from tests.conformance import play
from tests.conformance.play import Verdict


def tries(monkeypatch: pytest.MonkeyPatch, *problems: list[str]) -> Verdict:
    answers = iter(problems)
    monkeypatch.setattr(play, "run", lambda case, *_: Verdict(case["id"], list(next(answers)), seconds=1.0))
    nothing: Any = None
    verdict = play.attempt({"id": "x"}, nothing, nothing)
    assert list(answers) == []
    return verdict


def test_what_holds_is_played_once(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = tries(monkeypatch, [])
    assert (verdict.line(), verdict.at_first) == ("ok x", [])


def test_what_holds_at_the_second_try_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = tries(monkeypatch, ["status: late"], [])
    assert (verdict.line(), verdict.at_first, verdict.seconds) == ("ok x", ["status: late"], 2.0)


def test_what_fails_twice_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = tries(monkeypatch, ["status: one"], ["status: two"])
    assert (verdict.line(), verdict.at_first) == ("FAIL x status: two", [])
