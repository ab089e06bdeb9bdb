"""One patch while it is applied: what it says, decoded on first use, and what became of it (rows EF-12 to EF-17)."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from mizzen.model.resources import PatchOutcome, PatchStatus
from mizzen.model.view import FilterPatch
from mizzen.proto.envoy_json import decode

_M = TypeVar("_M", bound=Message)
INSERTS = frozenset({"INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"})
MERGES = frozenset({"MERGE", "MERGE_AND_REPLACE_LIST"})
ADDS = frozenset({"ADD", *INSERTS})
"""For kinds without order the inserts mean ADD (row EF-13)."""


class Change:
    """One entry of ``configPatches`` on its way through the resources of one view."""

    def __init__(self, patch: FilterPatch) -> None:
        self._patch = patch
        self._decoded: Message | None = None
        self._applied = False
        self._refused = ""
        written = patch.patch
        self.apply_to = written.apply_to
        self.operation = written.patch.operation if written.patch else "INVALID"
        match = written.match
        self.context = match.context if match else "ANY"
        self.listener: dict[str, Any] = (match.listener if match else None) or {}
        self.route: dict[str, Any] = (match.route_configuration if match else None) or {}
        self.cluster: dict[str, Any] = (match.cluster if match else None) or {}

    @property
    def usable(self) -> bool:
        return not self._refused

    def value(self, kind: type[_M]) -> _M | None:
        """The value as a fresh message of ``kind``; None when it is none, and then the patch is refused."""
        if self._decoded is None and not self._refused:
            written = self._patch.patch.patch
            try:
                self._decoded = decode(kind, (written.value if written else None) or {})
            except ValueError as error:
                self.refuse(str(error))
        if self._decoded is None:
            return None
        return kind.FromString(self._decoded.SerializeToString())

    def attempt(self, act: Callable[[], bool]) -> bool:
        """Run ``act``; whatever goes wrong in it is this patch's own fault, and the patch is left out from then on."""
        if self._refused:
            return False
        try:
            done = act()
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            self.refuse(str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}")
            return False
        self._applied |= done
        return done

    def applied(self) -> None:
        self._applied = True

    def refuse(self, reason: str) -> None:
        self._refused = reason

    def outcome(self) -> PatchOutcome:
        owner = self._patch.owner
        status = PatchStatus.REFUSED if self._refused else PatchStatus.NOTHING
        if self._applied and not self._refused:
            status = PatchStatus.APPLIED
        return PatchOutcome(owner.namespace, owner.name, self._patch.index, self.apply_to, status, self._refused)


def number(written: Any) -> int:
    """A port as a match writes it; 0 when nothing is written, -1 when it is no number and so matches nothing."""
    try:
        return int(written or 0)
    except (TypeError, ValueError):
        return -1


def edit_named(
    items: MutableSequence[Any],
    change: Change,
    kind: type[Message],
    matches: Callable[[Any], bool],
    *,
    named: bool,
) -> bool:
    """ADD, INSERT_*, REPLACE or REMOVE in an ordered list (rows EF-12 to EF-14). ``named``: the patch says which item."""
    operation = change.operation
    at = next((i for i, item in enumerate(items) if matches(item)), None) if named else None
    if operation in ("REMOVE", "REPLACE"):
        return _take_or_replace(items, change, kind, matches, at)
    position = {
        "ADD": len(items),
        "INSERT_FIRST": 0,
        "INSERT_BEFORE": at if named else 0,
        "INSERT_AFTER": (at + 1 if at is not None else None) if named else len(items),
    }.get(operation)
    value = change.value(kind) if position is not None else None
    if value is None or position is None:
        return False
    items.insert(position, value)
    return True


def _take_or_replace(
    items: MutableSequence[Any], change: Change, kind: type[Message], matches: Callable[[Any], bool], at: int | None
) -> bool:
    if at is None:
        return False
    if change.operation == "REMOVE":
        kept = [item for item in items if not matches(item)]
        del items[:]
        items.extend(kept)
        return True
    value = change.value(kind)
    if value is None:
        return False
    items[at].CopyFrom(value)
    return True
