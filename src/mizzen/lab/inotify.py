"""The host's limit on inotify instances per user. Each Envoy holds two (it watches its certificate and its roots), all as one user:
with Linux's default of 128 the 65th sidecar of a machine would abort at start."""

from __future__ import annotations

import contextlib
from pathlib import Path

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH = 8192


def make_room(limit: Path = LIMIT) -> str:
    """Raise the limit to :data:`ENOUGH`. Returns the former value as text, empty if it was not changed."""
    try:
        former = limit.read_text(encoding="ascii").strip()
        if int(former) >= ENOUGH:
            return ""
        limit.write_text(str(ENOUGH), encoding="ascii")
    except (OSError, ValueError):
        return ""
    return former


def restore(former: str, limit: Path = LIMIT) -> None:
    """Put back what :func:`make_room` returned. A value that somebody else has set since stays."""
    if not former:
        return
    with contextlib.suppress(OSError):
        if limit.read_text(encoding="ascii").strip() == str(ENOUGH):
            limit.write_text(former, encoding="ascii")
