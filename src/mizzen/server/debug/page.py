"""What a debug page is asked, and what it may answer. HTTP and xDS ask the same pages (rows DBG-02, XD-17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OTHERS = frozenset({"config_dump", "edsz", "ndsz"})
"""The pages that a caller of any namespace may see, of its own namespace's proxies."""


@dataclass(frozen=True)
class Question:
    """``namespace`` limits the caller to the proxies of its own; None: it may see all."""

    page: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    namespace: str | None = None

    def said(self, name: str) -> bool:
        """Whether a switch is on: named without a value, or with one that is not ``false``."""
        return self.parameters.get(name, "false").lower() != "false"


class NoAnswer(Exception):
    """``status`` is HTTP's; the text is for the caller."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
