"""When a proxy that is not ready is waited for no more."""

from __future__ import annotations

from typing import Any, cast

import pytest

from mizzen.server.patience import LONGEST, PATIENCE, Patience


class Session:
    """A session that stands where the test says."""

    def __init__(self) -> None:
        self.answers, self.waiting = 0, False


class World:
    def __init__(self) -> None:
        self.now, self.session = 100.0, Session()
        self.patience = Patience(cast(Any, self.session), lambda: self.now)

    def after(self, seconds: float, answers: int = 0) -> bool:
        """Whether it is over by then, when each second something happens."""
        for _ in range(int(seconds)):
            self.now += 1
            self.session.answers += answers
            if self.now >= self.patience.end and self.patience.over:
                return True
            self.patience.look()
        return False


@pytest.mark.row("XD-02")
def test_it_is_over_for_who_answers_nothing_whatever_else_happens() -> None:
    world = World()
    assert not world.after(60)
    world.session.waiting = True
    assert not world.after(PATIENCE - 1)
    assert world.after(1)
    world.patience.begin()
    assert not world.after(PATIENCE - 1)


@pytest.mark.row("XD-02")
def test_who_answers_has_more_time_but_not_for_ever() -> None:
    world = World()
    world.session.waiting = True
    assert not world.after(LONGEST - 1, answers=1)
    assert world.after(1, answers=1)


def test_who_is_ready_in_between_begins_anew() -> None:
    world = World()
    for _ in range(10):
        world.session.waiting = True
        assert not world.after(PATIENCE - 1)
        world.session.waiting = False
        assert not world.after(1)
