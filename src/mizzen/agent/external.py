"""A certificate that comes over somebody else's socket, such as SPIRE's (row AG-15); Envoy sees it as it sees one of the CA."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mizzen.agent import secrets

DIRECTORY = Path("/var/run/secrets/workload-spiffe-uds")
DEFAULT = "socket"
PAUSE = 1.0
"""Seconds before the socket is asked again after its stream broke."""
_LONGEST_LINE = 4 * 1024 * 1024


def socket_of(env: Mapping[str, str]) -> Path | None:
    """The socket, None when there is none. One with a name of its own must be there: raises ValueError."""
    name = env.get("WORKLOAD_IDENTITY_SOCKET_FILE") or DEFAULT
    if name != Path(name).name:
        raise ValueError(f"WORKLOAD_IDENTITY_SOCKET_FILE={name!r} is not the name of a file in {DIRECTORY}")
    path = Path(env.get("MIZZEN_SPIFFE_DIRECTORY", str(DIRECTORY))) / name
    try:
        there = stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        there = False
    if not there and name != DEFAULT:
        raise ValueError(f"WORKLOAD_IDENTITY_SOCKET_FILE={name!r}: there is no socket {path}")
    return path if there else None


class External:
    """Has the face of :class:`mizzen.agent.certificate.Rotation`, and never asks the CA."""

    def __init__(self, path: Path, node: str, sds_path: Path, report: Callable[[str], None]) -> None:
        self._command = [sys.executable, "-m", "mizzen.agent.sds_client", str(path), node]
        self._path = path
        self._sds_path = sds_path
        self._report = report
        self._child: asyncio.subprocess.Process | None = None
        self.expires = 0.0
        self.failures = 0

    async def first(self) -> None:
        """Return when there is a certificate; waits for ever."""
        try:
            while not self.expires:
                await self._next()
        except asyncio.CancelledError:
            await self._end()
            raise

    async def keep(self) -> None:
        """Hand on what comes, for ever."""
        try:
            while True:
                await self._next()
        finally:
            await self._end()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            await child.wait()

    async def _next(self) -> None:
        child = self._child or await self._start()
        assert child.stdout is not None
        line = await child.stdout.readline()
        if line:
            self._take(json.loads(line))
            return
        self.failures += 1
        self._child = None
        self._report(f"{self._path} was lost, exit code {await child.wait()}; what came last stays in force")
        await asyncio.sleep(PAUSE)

    async def _start(self) -> asyncio.subprocess.Process:
        # Its standard input stays open for as long as we live: by that it knows.
        self._child = await asyncio.create_subprocess_exec(
            *self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=_LONGEST_LINE
        )
        return self._child

    def _take(self, found: dict[str, Any]) -> None:
        if "error" in found:
            self.failures += 1
            self._report(f"no certificate from {self._path}: {found['error']}")
            return
        secrets.write(self._sds_path / "ROOTCA.json", secrets.roots([found["roots"]]))
        secrets.write(self._sds_path / "default.json", secrets.certificate([found["certificate"]], found["key"]))
        self.expires = float(found["expires"])
        self._report(f"certificate taken from {self._path}")
