"""Matchers and numbers that several kinds share."""

from __future__ import annotations

from msgspec import Struct


class StringMatch(Struct, frozen=True, kw_only=True):
    """Exactly one of the three; none of them means "is present" (row VS-17)."""

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class Percent(Struct, frozen=True, kw_only=True):
    """``value`` in percent, 0 to 100; fractions down to 0.0001 count (row VS-47)."""

    value: float = 0.0


class PortSelector(Struct, frozen=True, kw_only=True):
    number: int = 0
