"""What a session tells about itself: for ``syncz``, and for waiting until a change has arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

ResourceKey = tuple[str, str]
"""(type URL, name)."""


@dataclass(frozen=True, slots=True)
class TypeStatus:
    """``sent`` and ``acked`` are nonces of the latest responses (row DBG-03). ``errors`` maps names to reasons.

    ``sent_version`` and ``acked_version`` stand for the content: equal for equal resources, also in another process,
    and empty for none. ``complete`` says that the proxy has all it should have, also if that came on another stream.
    """

    sent: str = ""
    acked: str = ""
    sent_version: str = ""
    acked_version: str = ""
    complete: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """``ERROR``, ``NOT SENT``, ``SYNCED`` or ``STALE``, Istio's words."""
        if self.errors:
            return "ERROR"
        if not self.sent:
            return "SYNCED" if self.complete and self.acked_version else "NOT SENT"
        return "SYNCED" if self.sent == self.acked else "STALE"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one proxy is with one snapshot.

    ``known`` is False as long as the session has not looked at that snapshot. ``changed`` is what the snapshot gives
    that differs from what the session had: a proxy is concerned when that is not empty. ``refused`` maps keys to reasons.
    """

    known: bool
    changed: frozenset[ResourceKey] = frozenset()
    pending: frozenset[ResourceKey] = frozenset()
    refused: dict[ResourceKey, str] = field(default_factory=dict)

    @property
    def concerned(self) -> bool:
        return bool(self.changed)

    @property
    def done(self) -> bool:
        return self.known and not self.pending


def version(resources: Mapping[str, str | None]) -> str:
    """One version for the resources that are there, a short hash of their names and versions; empty for none."""
    listed = sorted(f"{name}={of}" for name, of in resources.items() if of)
    return hashlib.blake2b("\n".join(listed).encode(), digest_size=8).hexdigest() if listed else ""
