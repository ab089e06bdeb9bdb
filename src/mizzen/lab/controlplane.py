"""The control plane as a child of the supervisor: a process in the node namespace, restarted at once, shown as a pod."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mizzen.lab import builtin, probes
from mizzen.lab.forks import Forks, Process
from mizzen.lab.network import Network
from mizzen.lab.settings import controlplane_environment
from mizzen.lab.store import timestamp
from mizzen.lab.workloads import short_hash
from mizzen.model.access import AuthorizationMode

Raw = dict[str, Any]
_POLL_SECONDS = 0.1
_RESTART_SECONDS = 0.2
_STEADY_SECONDS = 1.0


class ControlPlane:
    """:meth:`run` keeps one alive; ``changed`` gets the status of its pod whenever that changes."""

    def __init__(
        self,
        mesh: str,
        state: Path,
        forks: Forks,
        network: Network,
        cgroup: Path | None,
        settings: Raw,
        authorization: AuthorizationMode = AuthorizationMode.ALWAYS_ALLOW,
    ) -> None:
        self._state = state
        self._forks = forks
        self._network = network
        self._cgroup = cgroup / "controlplane" if cgroup else None
        self._authorization = authorization
        self._environment = controlplane_environment(settings)
        self.pod_name = f"istiod-{short_hash(mesh)}-{short_hash(mesh + 'pod', 5)}"
        self.process: Process | None = None
        self.ready = False
        self.restarts = -1
        self._since = timestamp()
        self._stopping = False

    @property
    def addresses(self) -> list[str]:
        node = self._network.subnets.node
        return [f"{node}:{port}" for port in (15012, 15014, 15017, 8080)] + ["127.0.0.1:15010"]

    def pod(self, node: str) -> Raw:
        """Its Pod object."""
        return builtin.istiod_pod(self.pod_name, node)

    def command(self) -> list[str]:
        """See the seams in docs/architecture.md."""
        state = self._state
        return [
            *(sys.executable, "-m", "mizzen", "controlplane"),
            *("--socket", str(state / "run" / "sock")),
            *("--state", str(state / "controlplane")),
            *("--debug-socket", str(state / "run" / "controlplane.sock")),
            *("--token-jwks", str(state / "token" / "jwks.json")),
            *("--address", self._network.subnets.node),
            *("--pod-name", self.pod_name),
            *("--authorization-mode", self._authorization),
        ]

    async def run(self, changed: Callable[[Raw], None]) -> None:
        (self._state / "controlplane").mkdir(parents=True, exist_ok=True, mode=0o700)
        package = str(Path(__file__).resolve().parents[2])
        environment = {
            **os.environ,
            **self._environment,
            "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")]),
        }
        log = self._state / "run" / "logs" / "istiod"
        log.mkdir(parents=True, exist_ok=True)
        while not self._stopping:
            self.restarts += 1
            self._since = timestamp()
            began = asyncio.get_running_loop().time()
            with (log / "discovery.log").open("ab") as file, open(os.devnull, "rb") as null:
                self.process = await self._forks.spawn(
                    {
                        "arguments": self.command(),
                        "environment": environment,
                        "namespaces": [self._network.namespace],
                        "cgroup": str(self._cgroup) if self._cgroup else "",
                    },
                    [null.fileno(), file.fileno(), file.fileno()],
                )
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch(changed))
                await self.process.wait()
                watching.cancel()
            self.ready = False
            self.process = None
            changed(self.status())
            steady = asyncio.get_running_loop().time() - began > _STEADY_SECONDS * 5
            await asyncio.sleep(_RESTART_SECONDS if steady else _STEADY_SECONDS * 0.8)

    async def _watch(self, changed: Callable[[Raw], None]) -> None:
        changed(self.status())
        while True:
            probe = {"httpGet": {"path": "/ready", "port": 8080}, "timeoutSeconds": 2}
            problem = await probes.check(probe, {}, self._network.subnets.node, _nothing)
            if (problem == "") != self.ready:
                self.ready = problem == ""
                changed(self.status())
            await asyncio.sleep(_STEADY_SECONDS if self.ready else _POLL_SECONDS)

    def status(self) -> Raw:
        address, ready = self._network.subnets.node, "True" if self.ready else "False"
        state: Raw = (
            {"running": {"startedAt": self._since}} if self.process else {"waiting": {"reason": "CrashLoopBackOff"}}
        )
        return {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "hostIP": address,
            "startTime": self._since,
            "conditions": [{"type": name, "status": ready} for name in ("Ready", "ContainersReady")],
            "containerStatuses": [
                {
                    "name": "discovery",
                    "image": "mizzen/pilot",
                    "imageID": "",
                    "ready": self.ready,
                    "restartCount": max(0, self.restarts),
                    "state": state,
                }
            ],
        }

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL after a second."""
        self._stopping = True
        process = self.process
        if process is None:
            return
        process.kill(signal.SIGTERM)
        try:
            async with asyncio.timeout(1):
                await process.wait()
        except TimeoutError:
            process.kill(signal.SIGKILL)


async def _nothing(_words: list[str]) -> int:
    return 1
