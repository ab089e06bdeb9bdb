"""What a change means for the mesh as a whole: the findings that only a snapshot of all objects can tell.

A missing subset or host is no fault of the object alone, so applying it succeeds; the control plane finds it when it puts
the objects together. A change can also bring out a finding about another object, such as a DestinationRule whose subset
goes away while a VirtualService uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mizzen.cli.connection import control_plane
from mizzen.errors import LabError

Json = dict[str, Any]

PATIENCE_SECONDS = 5.0
"""A snapshot takes milliseconds; this is for a control plane that has just been started again."""

_PARTS = ("code", "level", "kind", "namespace", "name", "field", "message")


def identity(finding: Json) -> tuple[str, ...]:
    """A finding without its place: the same finding stays the same when its file is edited above it."""
    return tuple(str(finding.get(part) or "") for part in _PARTS)


def known() -> frozenset[tuple[str, ...]]:
    """What the control plane finds now, before a change; nothing when it does not answer."""
    try:
        return frozenset(map(identity, control_plane().findings()))
    except LabError:
        return frozenset()


def of_change(
    revision: int, results: Sequence[Json], before: Iterable[tuple[str, ...]], timeout: float = PATIENCE_SECONDS
) -> list[Json]:
    """The findings about the objects of ``results``, and those that were not there ``before``, once ``revision`` is built.

    Left out is what ``results`` say themselves. Raises LabError when the control plane does not answer within ``timeout`` seconds.
    """
    own = {_subject(result) for result in results}
    told = {identity(finding) for result in results for finding in result.get("findings") or []}
    old = frozenset(before)
    return [
        finding
        for finding in control_plane().findings(revision, timeout)
        if identity(finding) not in told and (_subject(finding) in own or identity(finding) not in old)
    ]


def _subject(of: Json) -> tuple[str, str, str]:
    return str(of.get("kind") or ""), str(of.get("namespace") or ""), str(of.get("name") or "")
