"""Steady requests from inside a pod while a test changes the mesh."""

from __future__ import annotations

import json
import subprocess
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tests.e2e.waiting import eventually

if TYPE_CHECKING:
    from tests.e2e.mesh import Document, Mesh

POD_PYTHON = "/opt/mizzen/bin/mizzen-python"
"""The interpreter inside a pod, which finds the package ``mizzen``."""


class Load:
    """200 requests/s from inside a pod, from the begin of the ``with`` to its end, while its body changes the mesh.

    It begins when the mesh has settled. After the end ``codes`` counts answers by status (-1: none), and ``failures``
    tells the first that were not 200.
    """

    RATE = 200
    CONNECTIONS = 16
    LIMIT_SECONDS = 90

    def __init__(self, mesh: Mesh, url: str, arguments: tuple[str, ...], workload: str, namespace: str) -> None:
        self._mesh = mesh
        program = [POD_PYTHON, "-m", "mizzen.samples.fortio", "load", "-c", str(self.CONNECTIONS), "-timeout", "10s"]
        self._settle = [*program, "-qps", "0", "-n", "64", "-json", "-", *arguments, url]
        timed = [*program, "-qps", str(self.RATE), "-t", f"{self.LIMIT_SECONDS}s", "-json", "-", *arguments, url]
        # The load ends when we close its standard input, so it lasts exactly as long as the body of the ``with``.
        script = '"$@" & load=$!; read -r _; kill -INT $load; wait $load'
        self._where = ["exec", "-n", namespace, f"deploy/{workload}", "--"]
        self._command = mesh.command(*self._where[:1], "-i", *self._where[1:], "sh", "-c", script, "sh", *timed)
        self.codes: dict[int, int] = {}
        self.failures: list[Document] = []
        self.seconds = 0.0

    def _codes(self, out: str) -> dict[int, int]:
        document = json.loads(out.strip().splitlines()[-1])
        self.failures = document["Failures"]
        return {int(code): count for code, count in document["RetCodes"].items()}

    def _settled(self) -> dict[int, int]:
        done = self._mesh.run(*self._where, *self._settle, expect=None)
        return self._codes(done.out) if done.out.strip() else {}

    def __enter__(self) -> Self:
        # A listener that changes lets each open connection finish one more request under the old rules (Envoy drains
        # it), so what an earlier test forbade may still be refused once on connections that the sidecars keep open.
        eventually(self._settled, lambda codes: set(codes) == {200}, 20)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=self._mesh.environment
        )
        self._begin = time.monotonic()
        time.sleep(1.0)  # traffic flows before anything changes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.kill()
        else:
            time.sleep(0.5)  # and after the last change
        self.seconds = time.monotonic() - self._begin
        out, err = self._process.communicate(timeout=30)
        if error is None:
            assert out.strip(), f"the load program said nothing: {err}"
            self.codes = self._codes(out)
            assert self.seconds < self.LIMIT_SECONDS, f"the change took {self.seconds:.1f} s, longer than the load"

    def assert_no_failure(self) -> None:
        """Every request was sent, and answered with 200."""
        assert not self.failures, f"{self.codes}: {self.failures}"
        assert set(self.codes) == {200}, self.codes
        # The first second may be spent on starting the program.
        expected = self.RATE * (self.seconds - 1.0)
        assert self.codes[200] >= 0.9 * expected, f"only {self.codes[200]} of {expected:.0f} requests were sent"
