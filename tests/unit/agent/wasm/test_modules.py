"""The agent's poll for modules, against a control plane that answers by script."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from mizzen.agent.http import Request, Response, connection
from mizzen.agent.settings import Settings
from mizzen.agent.wasm import modules
from mizzen.agent.wasm.modules import Modules
from mizzen.agent.wasm.settings import WasmSettings
from tests.fakes import registry
from tests.fakes.wasm import MARKS, digest

KEY = "0" * 32


class Plane:
    """Answers a poll that does not know ``wanted`` with it, and keeps the others waiting."""

    def __init__(self) -> None:
        self.wanted: list[dict[str, str]] = []
        self.version = "1"
        self.polls: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self.news = asyncio.Event()
        self.broken = 0

    def want(self, version: str, *entries: dict[str, str]) -> None:
        self.wanted, self.version = list(entries), version
        self.changed.set()

    async def handle(self, request: Request) -> Response:
        if self.broken:
            self.broken -= 1
            return Response(503)
        body = json.loads(request.body)
        self.polls.append(body)
        self.news.set()
        while body["version"] == self.version:
            self.changed.clear()
            await self.changed.wait()
        return Response(200, json.dumps({"version": self.version, "modules": self.wanted}).encode())

    async def asked(self, times: int) -> None:
        async with asyncio.timeout(20):
            while len(self.polls) < times:
                self.news.clear()
                await self.news.wait()

    async def told(self, state: dict[str, str] | None) -> None:
        """Until a poll says this of the module, None: nothing."""
        async with asyncio.timeout(20):
            while not self.polls or self.polls[-1]["modules"].get(KEY) != state:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def agent(path: Path, wasm: WasmSettings) -> AsyncIterator[tuple[Plane, Modules]]:
    settings = Settings(config_path=path, namespace="shop", wasm=wasm)
    plane = Plane()
    server = await asyncio.start_unix_server(lambda r, w: connection(plane.handle, r, w), settings.watch_path)
    made = Modules(settings, wasm, lambda _: None)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(made.keep())
            yield plane, made
            task.cancel()
    finally:
        server.close()


@pytest.fixture
def wasm(tmp_path: Path) -> WasmSettings:
    return WasmSettings(boot="b", directory=tmp_path / "data", timeout=5.0)


@pytest.fixture
def served() -> Iterator[tuple[registry.Content, str]]:
    content = registry.Content()
    content.files["x"] = MARKS
    with registry.serving(content) as (place, _):
        yield content, place


@pytest.mark.row("AG-12", "WP-02")
async def test_what_is_wanted_is_fetched_and_told_at_once(
    tmp_path: Path, wasm: WasmSettings, served: tuple[registry.Content, str]
) -> None:
    _, place = served
    async with agent(tmp_path, wasm) as (plane, made):
        assert made.missing(), "the control plane has not answered yet"
        plane.want("2", {"key": KEY, "url": f"http://{place}/files/x", "sha256": ""})
        await plane.told({"sha256": digest(MARKS)})
        assert made.missing() == ""
        assert (wasm.directory / f"{digest(MARKS)}.wasm").read_bytes() == MARKS
        assert plane.polls[-1] | {"modules": {}} == {
            "node": "sidecar~127.0.0.1~pod.shop~default.svc.cluster.local",
            "boot": "b",
            "version": "2",
            "modules": {},
        }
        plane.broken = 2
        plane.want("3")
        await plane.told(None)


@pytest.mark.row("WP-07", "WP-14")
async def test_a_failure_is_told_at_once_and_tried_again(
    tmp_path: Path,
    wasm: WasmSettings,
    served: tuple[registry.Content, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content, place = served
    monkeypatch.setattr(modules, "FIRST_PAUSE", 0.05)
    async with agent(tmp_path, wasm) as (plane, made):
        plane.want("2", {"key": KEY, "url": f"http://{place}/files/y", "sha256": ""})
        await plane.told({"error": "the server answers 404"})
        assert made.missing() == "", "a pod whose module cannot be had is ready, and denies"
        content.files["y"] = MARKS
        await plane.told({"sha256": digest(MARKS)})


@pytest.mark.row("WP-04")
async def test_what_cannot_be_fetched_is_not_tried_until_that_changes(
    tmp_path: Path, wasm: WasmSettings, served: tuple[registry.Content, str]
) -> None:
    content, place = served
    content.compat("a:v1", MARKS)
    content.passwords["a"] = "me:pw"
    entry = {"key": KEY, "url": f"oci://{place}/a:v1", "sha256": ""}
    async with agent(tmp_path, wasm) as (plane, _):
        plane.want("2", {**entry, "problem": "the pull secret pull is missing"})
        await plane.told({"error": "the pull secret pull is missing"})
        plane.want("3", {**entry, "auth": json.dumps({"auths": {place: {"username": "me", "password": "pw"}}})})
        await plane.told({"sha256": digest(MARKS)})


async def test_an_answer_that_is_none_ends_nothing(
    tmp_path: Path, wasm: WasmSettings, served: tuple[registry.Content, str]
) -> None:
    _, place = served
    entry = {"key": KEY, "url": f"http://{place}/files/x", "sha256": ""}
    async with agent(tmp_path, wasm) as (plane, made):
        for number, bad in enumerate(({"key": KEY}, {**entry, "url": 1}, "x")):
            plane.want(f"bad {number}", cast(Any, bad))
            polls = len(plane.polls)
            await plane.asked(polls + 2)
            assert made.missing()
        plane.want("2", entry)
        await plane.told({"sha256": digest(MARKS)})


@pytest.mark.row("AG-12")
async def test_news_of_two_modules_in_one_moment_end_one_poll(tmp_path: Path, wasm: WasmSettings) -> None:
    async with agent(tmp_path, wasm) as (plane, made):
        await plane.asked(2)
        made._say()
        await asyncio.sleep(0)
        assert made._poll is not None
        assert made._poll.expired(), "the poll is about to end"
        made._say()
        await plane.asked(3)


@pytest.mark.row("WP-14")
async def test_after_so_many_tries_the_pause_is_the_longest(
    tmp_path: Path, wasm: WasmSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Modules(Settings(config_path=tmp_path), replace(wasm, retries=2), lambda _: None)
    pauses: list[float] = []

    async def attempt(entry: modules.Entry) -> dict[str, str]:
        return {"error": "the server answers 404"}

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            raise TimeoutError

    monkeypatch.setattr(made, "_attempt", attempt)
    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "sleep", sleep)
        with pytest.raises(TimeoutError):
            await made._until_there(KEY, {"url": "x"})
    assert max(pauses[:2]) < modules.LAST_PAUSE / 2 < min(pauses[2:])


@pytest.mark.row("WP-14")
async def test_a_child_that_hangs_is_ended(tmp_path: Path, wasm: WasmSettings, served: tuple[Any, str]) -> None:
    task = {"url": f"http://{served[1]}/drips", "sha256": "", "auth": "", "directory": str(tmp_path)}
    task |= {"timeout": 60, "limit": 1 << 20, "insecure": [], "blocked": []}
    with pytest.raises(TimeoutError):
        await modules.ask_child(task, 0.5)
    assert os.listdir(tmp_path) == []


@pytest.mark.row("WP-14")
def test_files_that_nobody_needs_go_after_their_time(tmp_path: Path, wasm: WasmSettings) -> None:
    wasm = replace(wasm, expiry=100.0)
    made = Modules(Settings(config_path=tmp_path), wasm, lambda _: None)
    wasm.directory.mkdir()
    kept, gone = wasm.directory / f"{'a' * 64}.wasm", wasm.directory / f"{'b' * 64}.wasm"
    for file in (kept, gone):
        file.write_bytes(MARKS)
    made._states[KEY] = {"sha256": kept.stem}
    for now in (1000.0, 1090.0):
        made.forget(now)
        assert len(os.listdir(wasm.directory)) == 2
    made.forget(1101.0)
    assert os.listdir(wasm.directory) == [kept.name]
