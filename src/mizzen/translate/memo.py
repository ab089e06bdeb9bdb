"""What earlier translations made, so that unchanged parts of the mesh are not serialised again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

_T = TypeVar("_T")
_KEPT_TURNS = 16
"""Snapshots for which a result that nobody asks for is kept: it holds its inputs, and with them a whole old snapshot."""


@dataclass(slots=True)
class _Entry:
    inputs: tuple[Any, ...]
    made: Any
    used: int


class Memo:
    """Results by key. One counts only while each of its inputs is the very same object as when it was made."""

    def __init__(self) -> None:
        self._made: dict[Hashable, _Entry] = {}
        self._turn = 0

    @property
    def size(self) -> int:
        """How many results are kept."""
        return len(self._made)

    def get(self, key: Hashable, inputs: tuple[Any, ...], make: Callable[[], _T]) -> _T:
        """The result of ``make``, or that of an earlier call with this key and the same inputs."""
        found = self._made.get(key)
        if (
            found is not None
            and len(found.inputs) == len(inputs)
            and all(a is b for a, b in zip(found.inputs, inputs, strict=True))
        ):
            found.used = self._turn
            return cast(_T, found.made)
        made = make()
        self._made[key] = _Entry(inputs, made, self._turn)
        return made

    def turn(self) -> None:
        """A new snapshot begins. What no translation asked for in many of them is forgotten."""
        self._turn += 1
        if self._turn % _KEPT_TURNS == 0:
            oldest = self._turn - _KEPT_TURNS
            self._made = {key: entry for key, entry in self._made.items() if entry.used >= oldest}
