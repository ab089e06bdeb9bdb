"""One container over a stand-in for its pod: how it starts, ends and starts again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mizzen.errors import LabError
from mizzen.lab import container
from mizzen.lab.container import Container, Place
from mizzen.lab.environment import User

USER = User(0, 0)


class Program:
    """A process that ends with the code of the moment, or when it is told to; a ``stubborn`` one by SIGKILL alone."""

    def __init__(self, code: int | None, stubborn: bool = False) -> None:
        self.stubborn = stubborn
        self.pid = 1
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.signals: list[int] = []
        if code is not None:
            self.ended.set_result(code)

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)

    def kill(self, number: int) -> None:
        self.signals.append(number)
        if not self.ended.done() and (number == signal.SIGKILL or not self.stubborn):
            self.ended.set_result(-number)


class FakePlace:
    """Gives programs that end with ``codes``, one after the other; None: one that stays, OSError: none can be started."""

    address = "10.1.0.5"

    def __init__(self, logs: Path, *codes: int | OSError | None, stubborn: bool = False) -> None:
        self.logs = logs
        self.stubborn = stubborn
        self.codes = list(codes)
        self.programs: list[Program] = []
        self.whole: list[bool] = []

    async def run(self, words: Sequence[str], *_: Any, whole: bool = False) -> Program:
        self.whole.append(whole)
        code = self.codes.pop(0)
        if isinstance(code, OSError):
            raise code
        self.programs.append(Program(code, self.stubborn))
        return self.programs[-1]


def made(place: FakePlace, changed: Any = lambda: None) -> Container:
    user = User(place.logs.stat().st_uid, place.logs.stat().st_gid)
    return Container({"name": "app", "image": "x"}, place, (["app"], {}, user), changed)  # type: ignore[arg-type]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Back-off takes no time; how long it would have been."""
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    monkeypatch.setattr(container.asyncio, "sleep", sleep)
    return waits


async def test_what_is_asked_of_the_zygote() -> None:
    asked: list[dict[str, Any]] = []

    async def spawn(request: dict[str, Any], descriptors: Sequence[int]) -> None:
        asked.append({**request, "descriptors": list(descriptors)})

    place = Place(SimpleNamespace(spawn=spawn), 77, "10.1.0.5", Path("/cg"), Path("/logs"))  # type: ignore[arg-type]
    await place.run(["a", "b"], {"X": "1"}, User(5, 6, (7,), ("KILL",), True), "/w", [3], whole=True)
    await place.run(["a"], {}, USER, "/", [])
    assert asked[0] == {
        "arguments": ["a", "b"],
        "environment": {"X": "1"},
        "uid": 5,
        "gid": 6,
        "groups": [7],
        "capabilities": ["KILL"],
        "no_new_privileges": True,
        "directory": "/w",
        "namespaces": [f"/proc/77/ns/{kind}" for kind in ("net", "uts", "mnt")],
        "cgroup": "/cg",
        "whole": True,
        "descriptors": [3],
    }
    assert asked[1]["whole"] is False


async def test_an_init_container_runs_until_it_succeeds(tmp_path: Path, quick: list[float]) -> None:
    place = FakePlace(tmp_path, 1, 1, 0)
    one = made(place)
    await one.once("Always")
    assert (one.ready, one.restarts, quick) == (True, 2, [1.0, 2.0])
    with pytest.raises(LabError, match="init container app failed: exit code 3"):
        await made(FakePlace(tmp_path, 3)).once("Never")


@pytest.mark.parametrize(("policy", "codes", "starts"), [("Never", [1], 1), ("OnFailure", [1, 0], 2)])
async def test_how_often_a_container_is_started(
    tmp_path: Path, quick: list[float], policy: str, codes: list[int], starts: int
) -> None:
    place = FakePlace(tmp_path, *codes)
    one, up = made(place), asyncio.Event()
    async with asyncio.timeout(10):
        await one.keep(policy, up)
    assert up.is_set()
    assert (len(place.programs), one.restarts) == (starts, starts - 1)
    # What its first process started ends with it, so that a new start finds its ports free.
    assert place.whole == [True] * starts
    assert one.status()["state"]["terminated"]["exitCode"] == codes[-1]


async def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    place = FakePlace(tmp_path, OSError(2, "not found"))
    one = made(place)
    await one.keep("Never", asyncio.Event())
    assert one.message == "cannot run app: not found"
    assert one.status()["state"]["waiting"]["reason"] == "CreateContainerError"
    assert (tmp_path / "app.log").read_text() == "cannot run app: not found\n"


@pytest.mark.parametrize(
    ("stubborn", "grace", "signals", "code"), [(False, 5.0, [15], 143), (True, 0.05, [15, 9], 137)]
)
async def test_a_container_is_asked_to_stop_and_killed_if_it_does_not(
    tmp_path: Path, stubborn: bool, grace: float, signals: list[int], code: int
) -> None:
    place = FakePlace(tmp_path, None, stubborn=stubborn)
    one, up = made(place), asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(one.keep("Never", up))
        await up.wait()
        assert one.status()["state"]["running"]
        await one.stop(grace)
        await task
    assert place.programs[0].signals[: len(signals)] == signals
    assert one.status()["state"]["terminated"]["exitCode"] == code
