"""PeerAuthentication. Rows PA-05, PA-06."""

from __future__ import annotations

from mizzen.api.security import PeerAuthentication
from mizzen.check import rules
from mizzen.check.notes import Notes


def validate(spec: PeerAuthentication, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    path = "spec.portLevelMtls"
    if spec.port_level_mtls:
        selects = spec.selector is not None and bool(spec.selector.match_labels)
        notes.need(selects, path, "portLevelMtls needs a selector with labels")
    for key in spec.port_level_mtls:
        where = f"{path}.{key}"
        if notes.need(key.isascii() and key.isdecimal() and len(key) < 6, where, f"{key!r} is no port number"):
            rules.port(notes, where, int(key))
