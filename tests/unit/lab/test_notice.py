"""Before a pod ends: who is waited for, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mizzen.lab import notice

NOT_YET: dict[str, Any] = {"done": False, "concerned": ["a", "b"], "acked": ["a"], "refused": [], "disconnected": []}
DONE: dict[str, Any] = {"done": True, "concerned": [], "acked": [], "refused": [], "disconnected": []}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "SHORTEST_SECONDS", 0.05)
    monkeypatch.setattr(notice, "LONGEST_SECONDS", 1.0)


@asynccontextmanager
async def control_plane(path: Path, *answers: dict[str, Any]) -> AsyncIterator[list[str]]:
    """Gives one answer after the other; the last one stays. The revisions that it was asked about."""
    left, asked = list(answers), []

    async def wait(request: web.Request) -> web.Response:
        asked.append(request.query["revision"])
        await asyncio.sleep(0.01)
        return web.json_response(left[0] if len(left) == 1 else left.pop(0))

    application = web.Application()
    application.router.add_get("/v1/wait", wait)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield asked
    finally:
        await runner.cleanup()


async def _given(path: Path, *answers: dict[str, Any], grace: float = 30.0) -> tuple[list[str], float]:
    async with control_plane(path, *answers) as asked:
        began = time.monotonic()
        await notice.give(path, lambda: 7, grace)
        return asked, time.monotonic() - began


def given(path: Path, *answers: dict[str, Any], grace: float = 30.0) -> tuple[list[str], float]:
    return asyncio.run(_given(path, *answers, grace=grace))


def test_until_every_proxy_knows(tmp_path: Path) -> None:
    asked, seconds = given(tmp_path / "sock", NOT_YET, NOT_YET, DONE)
    assert asked == ["7"] * 3
    assert 0.05 <= seconds < 1.0


@pytest.mark.parametrize(
    "others", [{"disconnected": ["b"]}, {"refused": [{"proxy": "b", "type": "EDS", "resource": "x", "reason": "y"}]}]
)
def test_who_is_not_there_or_refuses_is_not_waited_for(tmp_path: Path, others: dict[str, Any]) -> None:
    assert given(tmp_path / "sock", {**NOT_YET, **others})[0] == ["7"]


def test_who_never_answers_is_waited_for_so_long_only(tmp_path: Path) -> None:
    asked, seconds = given(tmp_path / "sock", {**NOT_YET, "concerned": []})
    assert len(asked) > 3
    assert 0.9 < seconds < 5.0


def test_a_pod_with_little_grace_waits_less(tmp_path: Path) -> None:
    assert given(tmp_path / "sock", NOT_YET, grace=0.02) == ([], pytest.approx(0.02, abs=0.5))


def test_without_a_control_plane_there_is_only_the_moment(tmp_path: Path) -> None:
    began = time.monotonic()
    asyncio.run(notice.give(tmp_path / "sock", lambda: 7, 30.0))
    assert time.monotonic() - began < 0.9
