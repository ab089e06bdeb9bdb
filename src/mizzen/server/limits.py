"""How much one caller may ask of the control plane, so that a hostile proxy takes nothing from the others.

An Envoy has one stream and some thousand names on it; the limits are far above what an honest proxy needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

STREAMS_PER_CALLER = 64
"""Streams at a time of one identity from one address."""
TYPES_PER_STREAM = 32
"""Resource types that one stream may ask for; there are about ten."""
NAMES_PER_STREAM = 200_000
"""Resource names that one stream may ask for or say that it has."""
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
