"""What earlier translations made, so that unchanged parts of the mesh are not serialised again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

_T = TypeVar("_T")
_LIMIT = 200_000


class Memo:
    """Results by key. One counts only while each of its inputs is the very same object as when it was made."""

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[tuple[Any, ...], Any]] = {}

    def get(self, key: Hashable, inputs: tuple[Any, ...], make: Callable[[], _T]) -> _T:
        """The result of ``make``, or that of an earlier call with this key and the same inputs."""
        found = self._made.get(key)
        if (
            found is not None
            and len(found[0]) == len(inputs)
            and all(a is b for a, b in zip(found[0], inputs, strict=True))
        ):
            return cast(_T, found[1])
        if len(self._made) >= _LIMIT:
            self._made.clear()
        made = make()
        self._made[key] = (inputs, made)
        return made
