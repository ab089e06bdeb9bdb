"""Where a route of any kind goes. Row VS-27."""

from __future__ import annotations

from mizzen.api.virtual_service import Destination
from mizzen.check import rules
from mizzen.check.notes import Notes


def destination(target: Destination | None, path: str, notes: Notes) -> None:
    """Row VS-27."""
    if target is None:
        notes.error(path, "a destination is required")
        return
    if not target.host:
        notes.error(f"{path}.host", "a host is required")
    elif target.host == "*":
        notes.error(f"{path}.host", "'*' is no destination")
    else:
        rules.wildcard_host(notes, f"{path}.host", target.host, partial=True)
    if target.subset:
        notes.need(
            rules.DNS_LABEL.fullmatch(target.subset) is not None,
            f"{path}.subset",
            "no subset name: lower-case letters, digits, '-'",
        )
    if target.port is not None:
        rules.port(notes, f"{path}.port.number", target.port.number)
