"""The steps of a build: one runs again only when one of its inputs is another object than last time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mizzen.model.snapshot import Snapshot

_T = TypeVar("_T")


class Run:
    """One build: what each step was given and what it gave."""

    def __init__(self, previous: Snapshot | None) -> None:
        self.done: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self._previous = previous.steps if previous is not None else {}

    def step(self, name: str, function: Callable[..., _T], *inputs: Any) -> _T:
        before = self._previous.get(name)
        if before is not None and _same(before[0], inputs):
            result = before[1]
        else:
            result = function(*inputs)
            if before is not None:
                result = _keep(before[1], result)
        self.done[name] = (inputs, result)
        return result  # type: ignore[no-any-return]


def _same(old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    return len(old) == len(new) and all(
        a is b or (isinstance(b, str) and a == b) for a, b in zip(old, new, strict=True)
    )


def _keep(old: Any, new: Any) -> Any:
    """``new``, but with the old object wherever it is equal, so that a change stops spreading (translation compares by identity)."""
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        kept = {key: old[key] if key in old and old[key] == value else value for key, value in new.items()}
        return old if len(old) == len(kept) and all(old.get(k) is v for k, v in kept.items()) else kept
    if old == new:
        return old
    if isinstance(new, tuple) and isinstance(old, tuple) and len(new) == len(old) and all(map(_holds, new)):
        return tuple(
            _keep(before, after) for before, after in zip(old, new, strict=True)
        )  # several results of one step
    if isinstance(new, tuple) and isinstance(old, tuple):
        known = {_identity(item): item for item in old}
        return tuple(known[_identity(item)] if known.get(_identity(item)) == item else item for item in new)
    return new


def _holds(item: Any) -> bool:
    return isinstance(item, tuple | Mapping)


def _identity(item: Any) -> Any:
    for names in (("kind", "namespace", "name"), ("namespace", "hostname")):
        if all(hasattr(item, name) for name in names):
            return tuple(getattr(item, name) for name in names)
    return id(item)
