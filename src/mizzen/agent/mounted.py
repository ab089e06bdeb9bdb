"""A certificate from mounted files that somebody else renews (row CW-02a); Envoy sees it as it sees one of the CA."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mizzen.agent import secrets
from mizzen.agent.certificate import NoCertificate, ask_child
from mizzen.agent.material import NAMES
from mizzen.agent.roots import text

LOOK = 1.0
"""Seconds between two looks at the files."""


class Mounted:
    """Has the face of :class:`mizzen.agent.certificate.Rotation`, and never asks the CA."""

    def __init__(self, directory: Path, sds_path: Path, report: Callable[[str], None]) -> None:
        self._directory = directory
        self._sds_path = sds_path
        self._report = report
        self._texts: list[str] = []
        self.expires = 0.0
        self.failures = 0

    async def first(self) -> None:
        """Return when there is a certificate; waits for ever."""
        while not self.expires:
            await self.look()
            if not self.expires:
                await asyncio.sleep(LOOK)

    async def keep(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Hand on files that changed. They are replaced one by one: until key and certificate match, nothing is done."""
        texts = [text(self._directory / name) for name in NAMES]
        if texts == self._texts:
            return
        self._texts = texts
        certificate, key, roots = texts
        try:
            if not all(part.strip() for part in texts):
                raise NoCertificate(f"{self._directory} lacks one of {', '.join(NAMES)}")
            answer = await ask_child({"certificate": certificate, "key": key})
        except NoCertificate as error:
            self.failures += 1
            self._report(f"no certificate from files: {error}")
            return
        secrets.write(self._sds_path / "ROOTCA.json", secrets.roots([roots]))
        secrets.write(self._sds_path / "default.json", secrets.certificate([certificate], key))
        self.expires = float(answer["expires"])
        self._report(f"certificate taken from {self._directory}")
