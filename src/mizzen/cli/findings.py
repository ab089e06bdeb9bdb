"""Findings on stderr, with object, field and file:line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mizzen.cli.output import colored, note

Json = dict[str, Any]

_COLOURS = {"Error": "31", "Warning": "33", "Info": "36"}


def line_of(finding: Json) -> str:
    """One finding, as :class:`mizzen.model.finding.Finding` prints itself."""
    where = f"{finding['file']}:{finding.get('line', 0)}: " if finding.get("file") else ""
    subject = (
        f"{finding['kind']} {finding.get('namespace', '')}/{finding.get('name', '')}" if finding.get("kind") else ""
    )
    path = f" {finding['field']}" if finding.get("field") else ""
    level = str(finding.get("level", "Error"))
    about = f" ({(subject + path).strip()})" if subject or path else ""
    return f"{where}{colored(level, _COLOURS.get(level, '0'))} [{finding.get('code', '')}]{about} {finding.get('message', '')}"


def as_json(finding: Any) -> Json:
    """A Finding of the core as the API sends it."""
    return {
        name: getattr(finding, name)
        for name in ("code", "message", "kind", "namespace", "name", "field", "file", "line")
    } | {"level": str(finding.level)}


def show(findings: Iterable[Json]) -> None:
    """Print each finding once, to stderr."""
    for line in dict.fromkeys(line_of(finding) for finding in findings):
        note(line)


def has_error(findings: Iterable[Json]) -> bool:
    return any(finding.get("level") == "Error" for finding in findings)
