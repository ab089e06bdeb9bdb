"""Conditions of the Gateway API: what a status says of an object (row GA-19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """Why a condition does not hold: its reason in the API's words, and a sentence for people."""

    reason: str
    message: str


@dataclass(frozen=True)
class Condition:
    """``type`` holds, or does not because of ``problem``. Without a problem the reason is ``good`` (else the type).

    ``negative``: the type names a fault, such as Conflicted, and is False when all is well.
    """

    type: str
    problem: Problem | None = None
    good: str = ""
    negative: bool = False

    def of(self, generation: int) -> dict[str, Any]:
        """As it stands in a status, but for the time of its last change, which is not known here."""
        holds = (self.problem is None) is not self.negative
        return {
            "type": self.type,
            "status": "True" if holds else "False",
            "reason": self.problem.reason if self.problem is not None else self.good or self.type,
            "message": self.problem.message if self.problem is not None else "",
            "observedGeneration": generation,
        }
