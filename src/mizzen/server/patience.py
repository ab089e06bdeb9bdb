"""How long what comes later waits for a proxy to be ready with what came before (row XD-02)."""

from __future__ import annotations

from collections.abc import Callable

from mizzen.xds import Session

PATIENCE = 5.0
"""Seconds in which it answers nothing at all."""
LONGEST = 30.0
"""Seconds in all: it may answer changes of endpoints for ever, and never its clusters, because one stays cold."""


class Patience:
    """``end`` is when to look whether it is over. ``clock`` is in seconds."""

    def __init__(self, session: Session, clock: Callable[[], float]) -> None:
        self._session = session
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Anew."""
        now = self._clock()
        self._answers = self._session.answers
        self.end, self._last = now + PATIENCE, now + LONGEST

    def look(self) -> None:
        """To be called whenever something has happened, and before what is new is offered."""
        if not self._session.waiting:
            self.begin()
        elif self._session.answers != self._answers:
            self._answers = self._session.answers
            self.end = min(self._clock() + PATIENCE, self._last)

    @property
    def over(self) -> bool:
        """Whether something has waited for too long."""
        silent = self._session.answers == self._answers
        return self._session.waiting and (silent or self._clock() >= self._last)
