"""What one caller may have."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from mizzen.server.limits import Streams, TooMany, Turns


def test_each_caller_has_its_own_limit_and_gets_back_what_it_ends() -> None:
    streams = Streams(limit=2)
    with ExitStack() as stack:
        stack.enter_context(streams.one("a"))
        with streams.one("a"):
            with pytest.raises(TooMany), streams.one("a"):
                pass
            stack.enter_context(streams.one("b"))
        stack.enter_context(streams.one("a"))
    with streams.one("a"), streams.one("a"):
        pass


def test_one_that_breaks_is_given_back() -> None:
    streams = Streams(limit=1)
    with pytest.raises(ValueError, match="broken"), streams.one("a"):
        raise ValueError("broken")
    with streams.one("a"):
        pass


def granted(turns: Turns, caller: str, tries: int) -> int:
    """How many of ``tries`` turns a caller gets."""
    found = 0
    for _ in range(tries):
        try:
            turns.take(caller)
        except TooMany:
            continue
        found += 1
    return found


def test_turns_come_back_with_time_and_are_each_callers_own() -> None:
    clock = [100.0]
    turns = Turns(at_once=3, per_second=0.5, now=lambda: clock[0])
    assert granted(turns, "a", 10) == 3
    assert granted(turns, "b", 10) == 3
    clock[0] += 2
    assert granted(turns, "a", 10) == 1
    clock[0] += 3600
    assert granted(turns, "a", 10) == 3, "never more than at first"


def test_who_comes_no_more_is_forgotten() -> None:
    clock = [100.0]
    turns = Turns(at_once=3, per_second=1, now=lambda: clock[0])
    for number in range(50):
        turns.take(number)
    clock[0] += 60
    turns.take("a")
    assert len(turns._until) == 1
