"""A pod's life: namespaces, volumes, init containers, sidecars and apps in Kubernetes' order, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from mizzen.errors import LabError
from mizzen.lab import cgroups, container, environment, images, runtime, volumes
from mizzen.lab.container import Container, Place
from mizzen.lab.forks import Forks
from mizzen.lab.network import Addresses, Network
from mizzen.lab.network_files import network_files
from mizzen.lab.store import timestamp

Raw = dict[str, Any]
_RETRY_SECONDS = 2.0
_USUAL_GRACE, _LEAST_GRACE = 30.0, 2.0
"""Seconds between SIGTERM and SIGKILL where a pod says nothing, and where it says 0: kubelet gives two then."""
_LAST_SECONDS = 2.0
"""That killed processes have to be gone."""


class Machine(Struct, frozen=True, kw_only=True):
    """What all pods of a mesh share. ``find(kind, namespace, name)`` reads the store; ``issue`` makes tokens; ``notice`` lets
    clients learn that a pod leaves, for so many seconds at most."""

    mesh: str
    forks: Forks
    network: Network
    addresses: Addresses
    scratch: Path
    logs: Path
    claims: Path
    images: Mapping[str, images.Image]
    find: Callable[[str, str, str], Raw | None]
    issue: Callable[[Raw, str, int], str]
    default_user: int
    cgroup: Path | None
    starts: asyncio.Semaphore
    warn: Callable[[str], None]
    notice: Callable[[float], Awaitable[None]]


class RunningPod:
    """Runs one pod object. ``report`` gets each new status; :meth:`run` returns when the pod has ended for good."""

    def __init__(self, machine: Machine, raw: Raw, number: int, report: Callable[[Raw, Raw], None]) -> None:
        self.raw = raw
        self.number = number
        self.address = ""
        self.holder = 0
        self.place: Place | None = None
        self.containers: dict[str, Container] = {}
        self.phase = "Pending"
        self._init: list[str] = []
        self._machine = machine
        self._report = report
        self._message = ""
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._news = asyncio.Event()
        self._since = timestamp()
        self._became: dict[str, tuple[bool, str]] = {}

    @property
    def uid(self) -> str:
        return str(self.raw["metadata"]["uid"])

    @property
    def names(self) -> str:
        return f"{self.raw['metadata']['namespace']}/{self.raw['metadata']['name']}"

    @property
    def directory(self) -> Path:
        """The pod's volumes, as the zygote sees them."""
        return self._machine.scratch / self.uid / "volumes"

    def stop(self, hurry: bool = False) -> None:
        """Ask for the end: with time to finish, or, ``hurry``, at once."""
        self._stopping.set()
        if hurry:
            self._hurry.set()

    def try_again(self) -> None:
        """What a pod waits for (a ConfigMap, a Secret) may exist now."""
        self._news.set()

    async def run(self) -> None:
        """Returns when the pod has ended and nothing of it is left."""
        try:
            async with asyncio.TaskGroup() as tasks:
                life = tasks.create_task(self._live())
                stop = tasks.create_task(self._stopping.wait())
                await asyncio.wait((life, stop), return_when=asyncio.FIRST_COMPLETED)
                if self._stopping.is_set():
                    await self._end_containers()
                elif life.done():
                    await self._stopping.wait()
                life.cancel()
                stop.cancel()
        finally:
            await self._remove()

    async def _live(self) -> None:
        while not self._stopping.is_set():
            try:
                async with self._machine.starts:
                    await self._prepare()
                break
            except (LabError, OSError, ValueError) as error:
                self._message = str(error)
                self._changed()
                await self._remove()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_SECONDS):
                        await self._news.wait()
                self._news.clear()
        try:
            await self._main()
        except* LabError as errors:
            self._message, self.phase = str(errors.exceptions[0]), "Failed"
        self._changed()

    async def _prepare(self) -> None:
        machine = self._machine
        if not self.address:
            self.address = machine.addresses.take()
        self.raw = {
            **self.raw,
            "status": {**(self.raw.get("status") or {}), "podIP": self.address, "hostIP": machine.network.subnets.node},
        }
        self.refresh()
        mounts, clashes = volumes.mounts(self.raw, self.directory, machine.claims)
        for target in clashes:
            machine.warn(f"pod {self.names}: containers mount different volumes at {target}; all see the last one")
        plan = {
            "directory": str(machine.scratch / self.uid / "root"),
            "mesh": machine.mesh,
            "hostname": environment.hostname(self.raw),
            "mounts": [*runtime.mounts(), *mounts],
            "files": {
                **runtime.files(),
                **images.scripts(self._images()),
                **network_files(self.raw, self.address, machine.network.subnets.node),
            },
        }
        cgroup = machine.cgroup / f"pod-{self.uid}" if machine.cgroup else None
        holder = await machine.forks.spawn(
            {
                "pod": plan,
                "arguments": ["/bin/sleep", "infinity"],
                "environment": {},
                "cgroup": str(cgroup) if cgroup else "",
            }
        )
        self.holder = holder.pid
        await machine.network.attach(holder.pid, self.number, self.address)
        self.place = Place(machine.forks, holder.pid, self.address, cgroup, machine.logs / self.uid)
        spec = self.raw["spec"]
        self._init = [str(c.get("name")) for c in spec.get("initContainers") or []]
        self.containers = {}
        for item in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
            self.containers[str(item.get("name"))] = self._container(item, self.place)
        self._message = ""
        self._changed()

    def _images(self) -> list[images.Image]:
        """Those of its containers that are known here."""
        spec = self.raw["spec"]
        named = [images.short_name(str(c.get("image", ""))) for c in spec.get("containers") or []]
        return [self._machine.images[name] for name in named if name in self._machine.images]

    def _container(self, item: Raw, place: Place) -> Container:
        machine = self._machine
        image = machine.images.get(images.short_name(str(item.get("image", ""))))
        if image is None and item.get("command"):
            machine.warn(
                f"pod {self.names}: the image {item.get('image')} is not known here; its command runs with the host's programs"
            )
        settings = container.settings(item, self.raw, image, machine.find, machine.default_user)
        return Container(item, place, settings, self._changed)

    def refresh(self) -> None:
        """Write the volumes' files again: new ConfigMaps, Secrets, labels, tokens. Raises LabError, OSError, ValueError."""
        machine = self._machine
        volumes.fill(self.raw, machine.forks.inside(self.directory), machine.find, machine.issue, machine.default_user)

    async def _main(self) -> None:
        spec = self.raw["spec"]
        policy = str(spec.get("restartPolicy") or "Always")
        sidecars = self._all_sidecars()
        async with asyncio.TaskGroup() as side:
            keeping = []
            for name in self._init:
                current = self.containers[name]
                if current in sidecars:
                    keeping.append(side.create_task(current.keep("Always", asyncio.Event())))
                    await current.came_up.wait()
                else:
                    await current.once("Never" if policy == "Never" else "OnFailure")
            self.phase = "Running"
            async with asyncio.TaskGroup() as apps:
                for item in spec.get("containers") or []:
                    up = asyncio.Event()
                    apps.create_task(self.containers[str(item.get("name"))].keep(policy, up))
                    await up.wait()
            for task in keeping:
                task.cancel()
        for sidecar in sidecars:
            await sidecar.stop(5)
        codes = [
            (self.containers[str(c.get("name"))].ended or {}).get("exitCode", 0) for c in spec.get("containers") or []
        ]
        self.phase = "Failed" if any(codes) else "Succeeded"

    def _all_sidecars(self) -> list[Container]:
        items = self.raw["spec"].get("initContainers") or []
        return [
            self.containers[str(i.get("name"))]
            for i in items
            if i.get("restartPolicy") == "Always" and str(i.get("name")) in self.containers
        ]

    async def _end_containers(self) -> None:
        said = self.raw["spec"].get("terminationGracePeriodSeconds")
        grace = max(_LEAST_GRACE, float(_USUAL_GRACE if said is None else said))
        if self._hurry.is_set() or not self.containers:
            return
        async with asyncio.TaskGroup() as tasks:
            hurry = tasks.create_task(self._hurry.wait())
            gentle = tasks.create_task(self._gently(grace))
            await asyncio.wait((hurry, gentle), return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
            gentle.cancel()

    async def _gently(self, grace: float) -> None:
        if any(c.ready for c in self.containers.values()):
            await self._machine.notice(grace)
        sidecars = self._all_sidecars()
        began = time.monotonic()
        for each in self.containers.values():
            each.final = True
        async with asyncio.TaskGroup() as tasks:
            for each in self.containers.values():
                if each not in sidecars:
                    tasks.create_task(each.stop(grace))
        for each in reversed(sidecars):
            await each.stop(max(1.0, grace - (time.monotonic() - began)))

    async def _remove(self) -> None:
        """Undo everything; safe to call for a pod that got nowhere."""
        machine = self._machine
        cgroup = machine.cgroup / f"pod-{self.uid}" if machine.cgroup else None
        if cgroup is not None:
            cgroups.kill(cgroup)
        for each in self.containers.values():
            each.signal(signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            # What they close on their way out must still reach their peers.
            async with asyncio.timeout(_LAST_SECONDS):
                for each in self.containers.values():
                    await each.gone()
        if self.holder:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.holder, signal.SIGKILL)
            self.holder = 0
        await machine.network.detach(self.number)
        if cgroup is not None:
            for _ in range(50):
                if cgroups.remove(cgroup):
                    break
                await asyncio.sleep(0.02)
        shutil.rmtree(machine.forks.inside(machine.scratch / self.uid), ignore_errors=True)
        if self.address and self._stopping.is_set():
            machine.addresses.release(self.address)
            self.address = ""

    def _changed(self) -> None:
        self._report(self.raw, self.status())

    @property
    def ready(self) -> bool:
        apps = [self.containers.get(str(c.get("name"))) for c in self.raw["spec"].get("containers") or []]
        everyone = [*apps, *self._all_sidecars()]
        return bool(apps) and self.phase == "Running" and all(c is not None and c.ready for c in everyone)

    def status(self) -> Raw:
        """Kubernetes' PodStatus."""
        initialised = self.phase in ("Running", "Succeeded")
        conditions = []
        for name, value in (
            ("PodScheduled", True),
            ("Initialized", initialised),
            ("ContainersReady", self.ready),
            ("Ready", self.ready),
        ):
            was = self._became.get(name)
            if was is None or was[0] != value:
                self._became[name] = (value, timestamp())
            conditions.append(
                {"type": name, "status": "True" if value else "False", "lastTransitionTime": self._became[name][1]}
            )
        own = self.containers
        status: Raw = {
            "phase": self.phase,
            "conditions": conditions,
            "hostIP": self._machine.network.subnets.node,
            "podIP": self.address,
            "podIPs": [{"ip": self.address}] if self.address else [],
            "startTime": self._since,
            "initContainerStatuses": [own[name].status() for name in self._init if name in own],
            "containerStatuses": [c.status() for name, c in own.items() if name not in self._init],
        }
        if self._message:
            status["message"] = self._message
            status["reason"] = "CreateContainerError" if self.phase == "Pending" else "Error"
        return status
