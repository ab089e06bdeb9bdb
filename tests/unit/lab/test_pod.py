"""How a pod ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from mizzen.lab.pod import RunningPod


class Told:
    """Stands for a container, the network and the zygote, and writes down what happens."""

    node = "10.77.0.2"
    ready = False

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self.subnets = self

    def signal(self, number: int) -> None:
        self._log.append(f"signal {number}")

    async def stop(self, grace: float) -> None:
        self._log.append(f"stop within {grace:g} s")

    async def gone(self) -> None:
        await asyncio.sleep(0)
        self._log.append("gone")

    async def detach(self, number: int) -> None:
        self._log.append(f"network {number} away")

    def status(self) -> dict[str, Any]:
        return {}

    def inside(self, path: Path) -> Path:
        return path


class Machine:
    """As much of a machine as an end needs."""

    def __init__(self, scratch: Path, told: Told) -> None:
        self.cgroup = None
        self.scratch = scratch
        self.network = self.forks = told


async def test_the_network_goes_when_the_last_process_has_closed_its_connections(tmp_path: Path) -> None:
    """Else the last packets are lost, and for the peers, such as the control plane, the pod lives on until a keepalive."""
    log: list[str] = []
    told = Told(log)
    raw = {"metadata": {"namespace": "default", "name": "web-0", "uid": "u"}, "spec": {}}
    pod = RunningPod(cast(Any, Machine(tmp_path, told)), raw, 7, lambda raw, status: None)
    pod.containers = {"app": cast(Any, told)}
    pod.stop(hurry=True)
    await pod.run()
    assert log == ["signal 9", "gone", "network 7 away"]


@pytest.mark.parametrize(("said", "grace"), [({}, 30), ({"terminationGracePeriodSeconds": 0}, 2)])
async def test_how_long_a_pod_has_to_end(tmp_path: Path, said: dict[str, int], grace: int) -> None:
    log: list[str] = []
    told = Told(log)
    raw = {"metadata": {"namespace": "default", "name": "web-0", "uid": "u"}, "spec": said}
    pod = RunningPod(cast(Any, Machine(tmp_path, told)), raw, 7, lambda raw, status: None)
    pod.containers = {"app": cast(Any, told)}
    pod.stop()
    await pod.run()
    assert log[0] == f"stop within {grace} s"
