"""The modules that this pod's plugins need: which, whether they are here, and why not (rows AG-12, WP-02, WP-04, WP-14).

One long poll by way of Envoy (docs/adr/0013) says what the agent has and learns what it should have. Each module is
fetched by a child of its own, again and again until it is there; the control plane hears of the first failure at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mizzen.agent.http import BadMessage, fetch
from mizzen.agent.settings import Settings
from mizzen.agent.wasm.settings import WasmSettings

PATH = "/agent/v1/modules"
PATIENCE = 90.0
"""Seconds for one poll; the control plane answers within a minute, news or not."""
FIRST_RETRY, FIRST_LAST_RETRY, LAST_RETRY = 0.05, 0.2, 5.0
"""Seconds between polls that bring nothing; until the first answer the pod is not ready, and asking Envoy costs nothing."""
READY_WITHOUT = 30.0
"""Seconds after which a pod is ready whatever became of its modules."""
FIRST_PAUSE, LAST_PAUSE = 0.5, 60.0
"""Seconds between tries to fetch one module: after ``retries`` of them the longer pause."""
_LONGEST_REASON = 300
_ATTEMPTS_IN_ONE = 4.0
"""Requests that one fetch may need: a manifest or two, a token, the layer."""

Entry = dict[str, Any]
"""``key``, ``url``, ``sha256`` and ``auth`` of a module; ``problem`` when it is not to be tried."""


class Modules:
    """``keep`` runs beside Envoy for the life of the pod. Everything here is of one event loop."""

    def __init__(self, settings: Settings, wasm: WasmSettings, report: Callable[[str], None]) -> None:
        self._settings = settings
        self._wasm = wasm
        self._report = report
        self._version = ""
        self._wanted: dict[str, Entry] = {}
        self._states: dict[str, dict[str, str]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, float] = {}
        self._poll: asyncio.Timeout | None = None
        self._changed = False
        self._since = time.monotonic()
        self._jitter = random.SystemRandom()

    async def keep(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._purge())
            delay = FIRST_RETRY
            while True:
                try:
                    self._take(group, await self._ask())
                    delay = FIRST_RETRY
                except (OSError, BadMessage, TimeoutError, ValueError):
                    await asyncio.sleep(delay * self._jitter.uniform(0.5, 1.5))
                    delay = min(delay * 2, LAST_RETRY if self._version else FIRST_LAST_RETRY)

    def missing(self) -> str:
        """Why the pod should not get traffic yet: a plugin whose module nobody has tried to fetch; empty for nothing.

        What stands for a module that is not there denies, so a pod that starts waits for the first try at each.
        """
        tried = bool(self._version) and self._wanted.keys() <= self._states.keys()
        if tried or time.monotonic() - self._since > READY_WITHOUT:
            return ""
        return "the modules of plugins are on their way"

    async def _ask(self) -> dict[str, Any] | None:
        """One poll; None when our own news ended it."""
        self._changed = False
        settings = self._settings
        body = {"node": settings.node_id, "boot": self._wasm.boot, "version": self._version, "modules": self._states}
        try:
            async with asyncio.timeout(PATIENCE) as self._poll:
                answer = await fetch(
                    settings.discovery[0],
                    443,
                    PATH,
                    method="POST",
                    unix=str(settings.watch_path),
                    body=json.dumps(body).encode(),
                )
        except TimeoutError:
            if self._changed:
                return None
            raise
        finally:
            self._poll = None
        if answer.status != 200:
            raise BadMessage(f"the control plane answers {answer.status}")
        found = json.loads(answer.body)
        entries = found.get("modules") if isinstance(found, dict) else None
        if not isinstance(entries, list) or not all(map(_is_entry, entries)):
            raise BadMessage("no modules in the control plane's answer")
        return {"version": str(found.get("version", "")), "modules": entries}

    def _say(self) -> None:
        """Let the control plane know of our news: by a new poll in place of the one under way."""
        self._changed = True
        # One that ends already, for other news, cannot be ended again; the next one says all there is.
        if self._poll is not None and not self._poll.expired():
            self._poll.reschedule(asyncio.get_running_loop().time())

    def _take(self, group: asyncio.TaskGroup, answer: dict[str, Any] | None) -> None:
        if answer is None:
            return
        self._version = answer["version"]
        wanted = {entry["key"]: entry for entry in answer["modules"]}
        for key in [key for key, entry in self._wanted.items() if wanted.get(key) != entry]:
            if (task := self._tasks.pop(key, None)) is not None:
                task.cancel()
            if key not in wanted or "sha256" not in self._states.get(key, {}):
                self._states.pop(key, None)
        self._wanted = wanted
        for key, entry in wanted.items():
            if key not in self._states and key not in self._tasks:
                self._tasks[key] = group.create_task(self._until_there(key, entry))

    async def _until_there(self, key: str, entry: Entry) -> None:
        pause, tries = FIRST_PAUSE, 0
        while True:
            state = await self._attempt(entry)
            url = entry["url"]
            if state != self._states.get(key):
                self._report(f"module {url}: {state.get('error') or 'sha256 ' + state['sha256']}")
                self._states[key] = state
                self._say()
            if "sha256" in state:
                self._tasks.pop(key, None)
                return
            tries += 1
            await asyncio.sleep((pause if tries <= self._wasm.retries else LAST_PAUSE) * self._jitter.uniform(0.8, 1.2))
            pause = min(pause * 2, LAST_PAUSE)

    async def _attempt(self, entry: Entry) -> dict[str, str]:
        """``{"sha256"}`` or ``{"error"}``."""
        if entry.get("problem"):
            return {"error": str(entry["problem"])}
        wasm = self._wasm
        task = {
            "url": entry["url"],
            "sha256": entry.get("sha256", ""),
            "auth": entry.get("auth", ""),
            "directory": str(wasm.directory),
            "timeout": wasm.timeout,
            "limit": wasm.limit,
            "insecure": wasm.insecure,
            "blocked": wasm.blocked,
        }
        try:
            answer = await ask_child(task, wasm.timeout * _ATTEMPTS_IN_ONE)
        except (OSError, TimeoutError, ValueError) as error:
            answer = {"error": str(error) or "it took too long"}
        if isinstance(answer.get("sha256"), str):
            return {"sha256": answer["sha256"]}
        return {"error": str(answer.get("error") or "not understood")[:_LONGEST_REASON]}

    async def _purge(self) -> None:
        """Files that no plugin has needed for long go, now and then."""
        while True:
            await asyncio.sleep(self._wasm.purge)
            self.forget(time.time())

    def forget(self, now: float) -> None:
        """Drop the files that were last needed longer ago than ``expiry``; ``now`` is in seconds since 1970."""
        held = {state["sha256"] for state in self._states.values() if "sha256" in state}
        for file in self._wasm.directory.glob("*.wasm"):
            if file.stem in held:
                self._seen[file.stem] = now
            elif now - self._seen.setdefault(file.stem, now) > self._wasm.expiry:
                with contextlib.suppress(OSError):
                    file.unlink()
                del self._seen[file.stem]


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and all(isinstance(value, str) for value in entry.values())
        and entry.keys() >= {"key", "url", "sha256"}
    )


async def ask_child(task: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Run :mod:`mizzen.agent.wasm.fetch` once. Raises OSError, TimeoutError or ValueError."""
    command = [sys.executable, "-m", "mizzen.agent.wasm.fetch"]
    child = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        out, _ = await asyncio.wait_for(child.communicate(json.dumps(task).encode()), timeout=seconds)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
            _sweep(Path(task["directory"]), child.pid)
    found = json.loads(out)
    if not isinstance(found, dict):
        raise ValueError("the child's answer is not understood")
    return found


def _sweep(directory: Path, pid: int) -> None:
    """What a child left that was ended in the middle."""
    for file in directory.glob(f"{pid}-*.part"):
        with contextlib.suppress(OSError):
            file.unlink()
