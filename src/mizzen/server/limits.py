"""How much one caller may ask of the control plane, so that a hostile proxy takes nothing from the others.

An Envoy has one stream and some thousand names on it; the limits are far above what an honest proxy needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from time import monotonic

STREAMS_PER_CALLER = 64
"""Streams at a time of one identity from one address."""
TYPES_PER_STREAM = 32
"""Resource types that one stream may ask for; there are about ten."""
NAMES_PER_STREAM = 200_000
"""Resource names that one stream may ask for or say that it has."""
CERTIFICATES_AT_ONCE = 32
CERTIFICATES_PER_SECOND = 1.0
"""Certificate requests of one pod. The shortest life of a certificate is 10 s, so that an agent asks every 5 s."""
WAITING_RESPONSES = 64
"""Responses that may wait for a proxy that does not read before no more is read from it."""


class TooMany(Exception):
    """The caller has all that it may have."""


class Streams:
    """Counts what is open, by caller."""

    def __init__(self, limit: int = STREAMS_PER_CALLER) -> None:
        self._limit = limit
        self._open: Counter[Hashable] = Counter()

    @contextmanager
    def one(self, caller: Hashable) -> Iterator[None]:
        """Holds one stream open. Raises TooMany."""
        if self._open[caller] >= self._limit:
            raise TooMany
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]


class Turns:
    """How often each caller may come: ``at_once`` times, and then ``per_second``."""

    def __init__(self, at_once: int, per_second: float, now: Callable[[], float] = monotonic) -> None:
        self._interval = 1 / per_second
        self._burst = at_once * self._interval
        self._now = now
        self._until: dict[Hashable, float] = {}
        self._looked = 0.0

    def take(self, caller: Hashable) -> None:
        """One turn. Raises TooMany."""
        now = self._now()
        self._forget(now)
        until = max(self._until.get(caller, now), now) + self._interval
        if until > now + self._burst:
            raise TooMany
        self._until[caller] = until

    def _forget(self, now: float) -> None:
        """Who has all turns back is as good as new; without this, every pod there ever was would be kept."""
        if now - self._looked > self._burst:
            self._looked = now
            self._until = {caller: until for caller, until in self._until.items() if until > now}
