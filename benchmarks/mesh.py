"""A mesh under measurement, driven from outside with the command line, and what is read of its processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio-injection: "enabled"}}\n'


class Measured(NamedTuple):
    """One number, with its unit and the most that it may be."""

    what: str
    value: float
    limit: float
    unit: str

    @property
    def good(self) -> bool:
        return self.value <= self.limit

    def line(self) -> str:
        verdict = "ok" if self.good else "TOO MUCH"
        return f"{self.what:66} {self.value:8.2f} {self.unit:2}  (limit {self.limit:g})  {verdict}"


class Mesh:
    """The mesh ``name``; its state is in the directory ``state``. ``environment`` is that of ``up``."""

    def __init__(self, name: str, state: str, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.state = Path(state)
        self.environment = {**os.environ, "MIZZEN_STATE": state, **(environment or {})}

    def command(self, *arguments: str) -> list[str]:
        """The command line of ``mizzen ARGUMENTS`` for this mesh."""
        return [sys.executable, "-m", "mizzen", arguments[0], "--mesh", self.name, *arguments[1:]]

    def run(self, *arguments: str, text: str = "") -> tuple[float, str]:
        """Seconds that ``mizzen ARGUMENTS`` took, and what it printed. Raises CalledProcessError when it fails."""
        begin = time.perf_counter()
        with tempfile.TemporaryFile("w+") as out:  # a daemon that kept a pipe open would keep us waiting for its end
            subprocess.run(
                self.command(*arguments),
                check=True,
                input=text,
                text=True,
                stdout=out,
                stderr=subprocess.DEVNULL,
                env=self.environment,
            )
            seconds = time.perf_counter() - begin
            out.seek(0)
            return seconds, out.read()


def memory(pid: int) -> float:
    """Proportional set size of a process in MB; 0 when it is gone."""
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
