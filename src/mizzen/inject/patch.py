"""The difference of two JSON documents as a JSON patch (RFC 6902): what a mutating webhook answers (row IJ-10).

Only ``add``, ``remove`` and ``replace`` are used. Lists of named things are compared by name, as Kubernetes does, so that a
container put before the user's own is one ``add``.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

Operation = dict[str, Any]

_LARGEST = 40_000
"""Pairs of items that are compared; two lists with more of them are not aligned but replaced as a whole."""


def diff(old: Any, new: Any, path: str = "") -> list[Operation]:
    """Operations that make ``old`` into ``new``, in the order in which they have to be applied; none when they are equal.

    Numbers and booleans differ from one another as they do in JSON. ``path`` is a JSON pointer (RFC 6901) to both.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        return _objects(old, new, path)
    if isinstance(old, list) and isinstance(new, list):
        return _lists(old, new, path)
    if type(old) is type(new) and old == new:
        return []
    return [{"op": "replace", "path": path, "value": new}]


def _objects(old: dict[str, Any], new: dict[str, Any], path: str) -> list[Operation]:
    found = []
    for key, value in old.items():
        below = f"{path}/{_escaped(key)}"
        if key in new:
            found += diff(value, new[key], below)
        else:
            found.append({"op": "remove", "path": below})
    added = [key for key in new if key not in old]
    return found + [{"op": "add", "path": f"{path}/{_escaped(key)}", "value": new[key]} for key in added]


def _lists(old: list[Any], new: list[Any], path: str) -> list[Operation]:
    if old == new and len(old) * len(new) > _LARGEST:
        pairs = zip(old, new, strict=True)
        return [op for at, (before, after) in enumerate(pairs) for op in diff(before, after, f"{path}/{at}")]
    if len(old) * len(new) > _LARGEST:
        return [{"op": "replace", "path": path, "value": new}]
    found: list[Operation] = []
    at = 0  # where the next item is, in the list as the operations so far have made it
    steps = SequenceMatcher(None, [_mark(i) for i in old], [_mark(i) for i in new], autojunk=False).get_opcodes()
    for _, old_from, old_to, new_from, new_to in steps:
        both = min(old_to - old_from, new_to - new_from)
        for step in range(both):
            found += diff(old[old_from + step], new[new_from + step], f"{path}/{at}")
            at += 1
        found += [{"op": "remove", "path": f"{path}/{at}"}] * (old_to - old_from - both)
        for item in new[new_from + both : new_to]:
            found.append({"op": "add", "path": f"{path}/{at}", "value": item})
            at += 1
    return found


def _mark(item: Any) -> tuple[str, str]:
    """By what an item is found again: its name, else all of it."""
    name = item.get("name") if isinstance(item, dict) else None
    return ("name", name) if isinstance(name, str) else (type(item).__name__, repr(item))


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
