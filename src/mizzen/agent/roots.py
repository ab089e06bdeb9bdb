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
    """``changed`` is awaited after Envoy's file was written."""

    def __init__(self, source: Path, secret: Path, changed: Callable[[], Awaitable[None]]) -> None:
        self._source = source
        self._secret = secret
        self._changed = changed
        self._stamp = self._stat()
        self._text = self._read()

    async def keep(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Hand on what is new. A file that is missing or empty is none: the roots stay."""
        stamp = self._stat()
        if stamp == self._stamp:
            return
        text = self._read()
        if not text.strip():
            return
        self._stamp = stamp
        if text != self._text:
            self._text = text
            secrets.write(self._secret, secrets.roots([text]))
            await self._changed()

    def _stat(self) -> tuple[int, int]:
        try:
            found = self._source.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    def _read(self) -> str:
        try:
            return self._source.read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""
