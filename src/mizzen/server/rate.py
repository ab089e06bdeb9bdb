"""How many new streams a second are let in (row XD-05)."""

from __future__ import annotations

import asyncio
import time

PATIENCE = 5.0
"""Seconds that a new stream waits for its turn."""


class Rate:
    """A bucket that refills at ``per_second``; a burst of one second's worth is let in at once."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._burst = max(per_second, 1.0) * self._interval
        self._next = 0.0

    async def admit(self) -> bool:
        """Wait for a turn; False when that would take too long."""
        now = time.monotonic()
        turn = max(self._next, now - self._burst)
        if turn - now > PATIENCE:
            return False
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)
        return True
