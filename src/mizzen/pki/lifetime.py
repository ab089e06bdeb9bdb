"""How long a workload's certificate lasts (row CA-09)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mizzen.errors import CsrRejected

SHORTEST = timedelta(seconds=10)


@dataclass(frozen=True)
class Lifetimes:
    """``default`` is DEFAULT_WORKLOAD_CERT_TTL, ``longest`` MAX_WORKLOAD_CERT_TTL."""

    default: timedelta = timedelta(hours=24)
    longest: timedelta = timedelta(days=90)

    def granted(self, seconds: int) -> timedelta:
        """What a caller who asks for ``seconds`` gets: the default for zero or less.

        Raises CsrRejected for more than the longest (it is never shortened) and for less than 10 s.
        """
        if seconds <= 0:
            return self.default
        if seconds > self.longest.total_seconds():
            raise CsrRejected(
                f"a lifetime of {seconds} s is longer than the allowed {int(self.longest.total_seconds())} s"
            )
        if seconds < SHORTEST.total_seconds():
            raise CsrRejected(f"a lifetime of {seconds} s is shorter than {int(SHORTEST.total_seconds())} s")
        return timedelta(seconds=seconds)
