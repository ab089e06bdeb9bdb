"""Finding by labels without looking at everything each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

_Wanted = tuple[tuple[str, str], ...]


class LabelIndex(Generic[T]):
    """Things with labels, found by selectors. Each selector is answered once."""

    def __init__(self, things: Iterable[tuple[Mapping[str, str], T]]) -> None:
        self._things = list(things)
        self._by_label: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, (labels, _) in enumerate(self._things):
            for pair in labels.items():
                self._by_label[pair].append(index)
        self._known: dict[_Wanted, list[T]] = {}

    def find(self, selector: Mapping[str, str]) -> list[T]:
        """Everything that has all that ``selector`` asks for, in order; an empty one takes all."""
        wanted = tuple(sorted(selector.items()))
        if wanted not in self._known:
            self._known[wanted] = self._found(wanted)
        return self._known[wanted]

    def _found(self, wanted: _Wanted) -> list[T]:
        if not wanted:
            return [thing for _, thing in self._things]
        rarest = min((self._by_label.get(pair, []) for pair in wanted), key=len)
        return [
            self._things[i][1] for i in rarest if all(self._things[i][0].get(key) == value for key, value in wanted)
        ]
