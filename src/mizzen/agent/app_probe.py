"""One look at the application of a machine, by the probe of its WorkloadGroup (rows WE-06, VM-04)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

from mizzen.agent.grpc_health import serving
from mizzen.agent.http import BadMessage, Response, fetch
from mizzen.agent.probes import BODY_LIMIT, SOURCE, insecure_https

HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_LAST_WORDS = 300
_PART = 64 * 1024


class AppProbe:
    """``probe`` is ProxyConfig's ``readinessProbe``; ``address`` the workload's own, which is asked unless it names a host."""

    def __init__(self, probe: dict[str, Any], address: str) -> None:
        self.timeout = float(probe.get("timeoutSeconds") or 1)
        self._kind = next((kind for kind in HANDLERS if kind in probe), "")
        found = probe.get(self._kind)
        self._spec: dict[str, Any] = found if isinstance(found, dict) else {}
        self._own = address
        self._host = str(self._spec.get("host") or address)

    async def why_not(self) -> str:
        """Empty when the application is well, else what is wrong with it."""
        try:
            async with asyncio.timeout(self.timeout):
                return await self._look()
        except TimeoutError:
            return f"no answer within {self.timeout:g}s"
        except (OSError, BadMessage, ValueError, KeyError, TypeError) as error:
            return f"{type(error).__name__}: {error}"

    async def _look(self) -> str:
        if self._kind == "exec":
            return await _command([str(word) for word in self._spec.get("command") or ()])
        port = int(self._spec["port"])
        if self._kind == "tcpSocket":
            _, writer = await asyncio.open_connection(self._host, port, local_addr=self._local())
            writer.close()
            return ""
        if self._kind == "grpc":
            service = str(self._spec.get("service") or "")
            return "" if await serving(self._host, port, service, self._local()) else "the server is not serving"
        return await self._http(port)

    def _source(self) -> str | None:
        """Where capture must not see the question (row TC-03); an address of another machine is not asked from there."""
        return SOURCE[6 if ":" in self._host else 4] if self._host in (self._own, "localhost", "127.0.0.1") else None

    def _local(self) -> tuple[str, int] | None:
        source = self._source()
        return (source, 0) if source else None

    async def _http(self, port: int) -> str:
        headers = {"User-Agent": "istio-probe/1.0"}
        for header in self._spec.get("httpHeaders") or ():
            headers[str(header["name"])] = str(header.get("value", ""))
        # "Host" under this very spelling takes the place of our own.
        headers = {"Host" if name.lower() == "host" else name: value for name, value in headers.items()}
        path = "/" + str(self._spec.get("path") or "/").lstrip("/")
        answer = await self._once(port, path, headers)
        return "" if 200 <= answer.status < 400 else f"status {answer.status} of {path}"

    async def _once(self, port: int, path: str, headers: dict[str, str]) -> Response:
        if str(self._spec.get("scheme", "")).lower() == "https":
            return await asyncio.to_thread(insecure_https, self._host, port, path, headers, self._source())
        return await fetch(
            self._host, port, path, headers=headers, source=self._source(), limit=BODY_LIMIT, whole=False
        )


async def _command(words: Sequence[str]) -> str:
    """Empty when it ends with 0. What it started goes with it, however it ends."""
    if not words:
        raise ValueError("the probe has no command")
    child = await asyncio.create_subprocess_exec(
        *words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stderr is not None
    said = b""
    try:
        while part := await child.stderr.read(_PART):
            said = (said + part)[-4 * _LAST_WORDS :]
        code = await child.wait()
    finally:
        # Its session is its own, and outlives it when it left somebody behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
    if code == 0:
        return ""
    last = said.decode("utf-8", "replace").strip()[-_LAST_WORDS:]
    return f"{words[0]}: exit code {code}" + (f": {last}" if last else "")
