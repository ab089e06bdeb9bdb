"""Looking into documents as users wrote them: what has another shape than expected counts as not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Raw = Mapping[str, Any]

_NOTHING: Raw = {}


def at(value: object, *path: str) -> Any:
    """What stands below ``value`` at ``path``; None when there is nothing."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def block(value: object, *path: str) -> Raw:
    """The map at ``path``; an empty one when there is none."""
    found = at(value, *path)
    return found if isinstance(found, Mapping) else _NOTHING


def items(value: object, *path: str) -> Sequence[Any]:
    """The list at ``path``; an empty one when there is none."""
    found = at(value, *path)
    return found if isinstance(found, list | tuple) else ()


def blocks(value: object, *path: str) -> list[Raw]:
    """The maps among the list at ``path``; what is no map is an empty one, so that indexes stay."""
    return [item if isinstance(item, Mapping) else _NOTHING for item in items(value, *path)]


def text(value: object, *path: str) -> str:
    """The text at ``path``; numbers as text, everything else as an empty one."""
    found = at(value, *path)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def number(value: object, *path: str) -> int:
    """The whole number at ``path``; 0 when there is none."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def texts(value: object, *path: str) -> dict[str, str]:
    """The map of texts at ``path``, such as labels."""
    return {str(key): text(item) for key, item in block(value, *path).items()}
