"""The roots as the pod sees them in a file, handed on to Envoy when they change (rows CR-03, CR-05).

The control plane also offers them by a long poll over HTTPS. That would cost each pod a TLS library or a child that
waits for ever, and the file is there anyway: the agent needs it before it can trust the control plane at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from mizzen.agent import secrets

LOOK = 1.0
"""Seconds between two looks at the file."""


class Roots:
    """``source`` has the roots, ``revoked`` beside it lists of revoked certificates, if there are any (row CR-10).

    ``changed`` is awaited after Envoy's file was written.
    """

    def __init__(self, source: Path, revoked: Path, secret: Path, changed: Callable[[], Awaitable[None]]) -> None:
        self._files = (source, revoked)
        self._secret = secret
        self._changed = changed
        self._stamp = self._stat()
        self._texts = self._read()

    async def keep(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Hand on what is new. A file with roots that is missing or empty is none: the roots stay."""
        stamp = self._stat()
        if stamp == self._stamp:
            return
        texts = self._read()
        if not texts[0].strip():
            return
        self._stamp = stamp
        if texts != self._texts:
            self._texts = texts
            secrets.write(self._secret, secrets.roots(texts[:1], texts[1]))
            await self._changed()

    def _stat(self) -> list[tuple[int, int]]:
        return [_stamp(path) for path in self._files]

    def _read(self) -> list[str]:
        return [text(path) for path in self._files]


def text(path: Path) -> str:
    """What a PEM file holds; empty when it cannot be read."""
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)
