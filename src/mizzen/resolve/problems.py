"""Findings about references between objects, in Istio's codes."""

from __future__ import annotations

from mizzen.api.meta import Object
from mizzen.model.finding import Finding, Level
from mizzen.model.finding import about as about

NOT_FOUND = "IST0101"
NO_EFFECT = "MZ0002"


def missing(obj: Object, what: str, value: str, field: str) -> Finding:
    """IST0101: something that ``obj`` names does not exist. Only a warning: it may be created later."""
    return about(obj, NOT_FOUND, Level.WARNING, f"Referenced {what} not found: {value!r}", field)
