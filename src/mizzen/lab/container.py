"""One container of a pod: its process, its probes, its restarts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mizzen.errors import LabError
from mizzen.lab import environment, probes
from mizzen.lab.forks import Forks, Process
from mizzen.lab.images import Image
from mizzen.lab.store import timestamp

Raw = dict[str, Any]
_EAGER_SECONDS = 0.2
"""How often a probe that has not yet succeeded is repeated at the most: nobody likes to wait for a start."""
_LAST_WORDS_BYTES = 512
_LONGEST_BACKOFF_SECONDS = 60.0
_STABLE_SECONDS = 60.0


class Place:
    """Where containers of one pod run: its namespaces, its address and its control group."""

    def __init__(self, forks: Forks, holder: int, address: str, cgroup: Path | None, logs: Path) -> None:
        self.forks = forks
        self.namespaces = [f"/proc/{holder}/ns/{kind}" for kind in ("net", "uts", "mnt")]
        self.address = address
        self.cgroup = cgroup
        self.logs = logs

    async def run(
        self,
        words: Sequence[str],
        values: dict[str, str],
        user: environment.User,
        directory: str,
        descriptors: Sequence[int],
        *,
        whole: bool = False,
    ) -> Process:
        """Start a program in the pod; with ``whole`` nothing that it started outlives it. Raises OSError when it cannot be started."""
        request = {
            "arguments": list(words),
            "environment": values,
            "uid": user.uid,
            "gid": user.gid,
            "groups": list(user.groups),
            "capabilities": None if user.capabilities is None else list(user.capabilities),
            "no_new_privileges": user.no_new_privileges,
            "directory": directory,
            "namespaces": self.namespaces,
            "cgroup": str(self.cgroup) if self.cgroup else "",
            "whole": whole,
        }
        return await self.forks.spawn(request, descriptors)


class Container:
    """``changed`` is called whenever its status is another. Use :meth:`once` for init containers, :meth:`keep` for others."""

    def __init__(
        self,
        spec: Raw,
        place: Place,
        settings: tuple[list[str], dict[str, str], environment.User],
        changed: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.name = str(spec.get("name"))
        self.restarts = 0
        self.ready = False
        self.started = False
        self.final = False
        self.came_up = asyncio.Event()
        self.process: Process | None = None
        self.ended: Raw | None = None
        self.waiting = "ContainerCreating"
        self.message = ""
        self._place = place
        self._words, self.values, self.user = settings
        self.directory = str(spec.get("workingDir") or "/")
        self._changed = changed
        self._since = ""

    async def once(self, policy: str) -> None:
        """Run until it succeeds, with back-off. Raises LabError when it failed and ``policy`` is Never."""
        delay = 1.0
        while True:
            code = await self._run_once()
            if code == 0:
                self.ready = True
                self._changed()
                return
            if policy == "Never":
                raise LabError(f"init container {self.name} failed: {self.message or f'exit code {code}'}")
            self.restarts += 1
            self._wait_state("CrashLoopBackOff")
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_BACKOFF_SECONDS)

    async def _run_once(self) -> int:
        if not await self._start():
            return 128
        assert self.process is not None
        code = await self.process.wait()
        self._note_end(code)
        return code

    async def keep(self, policy: str, up: asyncio.Event) -> None:
        """Run for the life of the pod, restarting as ``policy`` says; returns when it will not be restarted.

        ``up`` is set when it runs and its postStart hook is done, or when it could not start.
        """
        delay = 1.0
        while True:
            begun = time.monotonic()
            code = await self._attempt(up)
            up.set()
            if self.final or policy == "Never" or (policy == "OnFailure" and code == 0):
                return
            if time.monotonic() - begun > _STABLE_SECONDS:
                delay = 1.0
            self.restarts += 1
            self._wait_state("CrashLoopBackOff")
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_BACKOFF_SECONDS)

    async def _attempt(self, up: asyncio.Event) -> int:
        if not await self._start():
            return 128
        process = self.process
        assert process is not None
        async with asyncio.TaskGroup() as tasks:
            watchers = tasks.create_task(self._watch(up))
            code = await process.wait()
            watchers.cancel()
        self._note_end(code)
        return code

    async def _watch(self, up: asyncio.Event) -> None:
        await self.hook("postStart")
        up.set()
        async with asyncio.TaskGroup() as tasks:
            if probe := self.spec.get("startupProbe"):
                await self._until_started(probe)
            self.started = True
            self.came_up.set()
            if probe := self.spec.get("readinessProbe"):
                tasks.create_task(self._readiness(probe))
            else:
                self.ready = True
            self._changed()
            if probe := self.spec.get("livenessProbe"):
                tasks.create_task(self._liveness(probe))

    async def _start(self) -> bool:
        self.ready = self.started = False
        try:
            with self.log() as file:
                # /dev/stdout opens the file anew, so it must belong to the container's user (as runtimes do).
                os.fchown(file.fileno(), self.user.uid, self.user.gid)
                null = os.open(os.devnull, os.O_RDONLY)
                try:
                    descriptors = [null, file.fileno(), file.fileno()]
                    self.process = await self._place.run(
                        self._words, self.values, self.user, self.directory, descriptors, whole=True
                    )
                finally:
                    os.close(null)
        except OSError as error:
            self.process = None
            self.message = f"cannot run {self._words[0]}: {error.strerror or error}"
            self.ended = {"exitCode": 128, "reason": "StartError", "message": self.message, "finishedAt": timestamp()}
            with self.log() as file:
                file.write(f"{self.message}\n".encode())
            self._wait_state("CreateContainerError")
            return False
        self.waiting = ""
        self.message = ""
        self._since = timestamp()
        self._changed()
        return True

    def log(self) -> Any:
        """The container's log file, open for appending bytes."""
        self._place.logs.mkdir(parents=True, exist_ok=True)
        return (self._place.logs / f"{self.name}.log").open("ab")

    def _note_end(self, code: int) -> None:
        shown = 128 - code if code < 0 else code
        reason = "Completed" if code == 0 else "Error"
        self.ended = {"exitCode": shown, "reason": reason, "startedAt": self._since, "finishedAt": timestamp()}
        if code and (last := self._last_words()):
            self.ended["message"] = last
        self.process = None
        self.ready = self.started = False
        self._changed()

    def _last_words(self) -> str:
        """The last line of the log, as Kubernetes tells it with ``FallbackToLogsOnError``; "" when there is none."""
        try:
            with (self._place.logs / f"{self.name}.log").open("rb") as file:
                file.seek(max(os.fstat(file.fileno()).st_size - _LAST_WORDS_BYTES, 0))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _wait_state(self, reason: str) -> None:
        self.waiting = reason
        self._changed()

    async def hook(self, name: str) -> None:
        """postStart or preStop; a failing postStart ends the container, as Kubernetes does."""
        action = (self.spec.get("lifecycle") or {}).get(name)
        if not action:
            return
        problem = ""
        if command := (action.get("exec") or {}).get("command"):
            code = await self.execute([str(word) for word in command])
            problem = f"exit code {code}" if code else ""
        elif target := action.get("httpGet"):
            try:
                problem = await probes.http_get(target, self.spec, self._place.address)
            except (OSError, ValueError) as error:
                problem = str(error)
        elif seconds := (action.get("sleep") or {}).get("seconds"):
            await asyncio.sleep(float(seconds))
        if problem and name == "postStart":
            self.message = f"postStart hook failed: {problem}"
            self.signal(signal.SIGKILL)

    async def execute(self, words: list[str]) -> int:
        """Run a command in the container and wait for it; 126 when it cannot be started."""
        try:
            process = await self._place.run(words, self.values, self.user, self.directory, [])
        except OSError:
            return 126
        try:
            return await process.wait()
        except asyncio.CancelledError:
            process.kill(signal.SIGKILL)
            raise

    async def _until_started(self, probe: Raw) -> None:
        rule, began = probes.timing(probe), time.monotonic()
        await asyncio.sleep(rule.delay)
        while problem := await self._check(probe):
            if time.monotonic() - began > rule.delay + rule.period * rule.failures:
                self.message = f"startup probe failed: {problem}"
                self.signal(signal.SIGKILL)
                return
            await asyncio.sleep(min(rule.period, _EAGER_SECONDS))

    async def _readiness(self, probe: Raw) -> None:
        rule, good, bad = probes.timing(probe), 0, 0
        await asyncio.sleep(rule.delay)
        while True:
            problem = await self._check(probe)
            good, bad = (0, bad + 1) if problem else (good + 1, 0)
            was = self.ready
            if good >= rule.successes:
                self.ready, self.message = True, ""
            elif bad >= rule.failures or (bad and not self.ready):
                self.ready, self.message = False, f"readiness probe failed: {problem}"
            if was != self.ready:
                self._changed()
            await asyncio.sleep(rule.period if self.ready else min(rule.period, _EAGER_SECONDS))

    async def _liveness(self, probe: Raw) -> None:
        rule, bad = probes.timing(probe), 0
        await asyncio.sleep(rule.delay)
        while True:
            problem = await self._check(probe)
            bad = bad + 1 if problem else 0
            if bad >= rule.failures:
                self.message = f"liveness probe failed: {problem}"
                await self.stop(float(probe.get("terminationGracePeriodSeconds") or 5))
                return
            await asyncio.sleep(rule.period)

    async def _check(self, probe: Raw) -> str:
        return await probes.check(probe, self.spec, self._place.address, self.execute)

    def signal(self, number: int) -> None:
        if self.process is not None:
            self.process.kill(number)

    async def gone(self) -> None:
        """Returns when no process of it is left; only after SIGKILL is that sure to come."""
        if self.process is not None:
            await self.process.gone()

    async def stop(self, grace: float) -> None:
        """preStop, SIGTERM, and SIGKILL when ``grace`` seconds were not enough."""
        process = self.process
        if process is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.hook("preStop")
                process.kill(signal.SIGTERM)
                await process.wait()
        process.kill(signal.SIGKILL)
        await process.wait()

    def status(self) -> Raw:
        """Kubernetes' containerStatus."""
        if self.process is not None:
            state: Raw = {"running": {"startedAt": self._since}}
        elif self.waiting or self.ended is None:
            state = {"waiting": {"reason": self.waiting or "PodInitializing", "message": self.message}}
        else:
            state = {"terminated": self.ended}
        status: Raw = {
            "name": self.name,
            "image": str(self.spec.get("image", "")),
            "imageID": "",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": state,
        }
        if self.ended is not None and "terminated" not in state:
            status["lastState"] = {"terminated": self.ended}
        return status


def settings(
    spec: Raw, pod: Raw, image: Image | None, find: Callable[[str, str, str], Raw | None], default_user: int
) -> tuple[list[str], dict[str, str], environment.User]:
    """Command, environment and user of a container. Raises LabError, ValueError for what cannot be run."""
    values = environment.variables(spec, pod, image, find)
    words = [environment.expand(word, values) for word in environment.command(spec, image)]
    return words, values, environment.user(spec, pod, default_user)
