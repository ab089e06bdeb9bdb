"""Waiting for an answer, with a deadline, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def eventually(probe: Callable[[], Answer], wanted: Callable[[Answer], bool], seconds: float = 30.0) -> Answer:
    """Asks until four answers in a row are as wanted, and gives the last; fails with it when the time is over.

    One answer is not enough after a change of policy: each connection that was open before may carry one more request
    under the old rules.
    """
    deadline, agreeing = time.monotonic() + seconds, 0
    while True:
        answer = probe()
        agreeing = agreeing + 1 if wanted(answer) else 0
        if agreeing == 4:
            return answer
        if agreeing:
            continue
        assert time.monotonic() < deadline, f"not as wanted within {seconds:g} s; the last answer was {answer!r}"
        time.sleep(0.1)


def settled(probe: Callable[[], Answer], seconds: float = 30.0) -> Answer:
    """The answer that four requests in a row agree on: what holds when connections of before a change are gone."""
    deadline, answers = time.monotonic() + seconds, [probe()]
    while not (len(answers) >= 4 and all(answer == answers[-1] for answer in answers[-4:])):
        assert time.monotonic() < deadline, f"no settled answer within {seconds:g} s: {answers[-10:]!r}"
        answers.append(probe())
    return answers[-1]
