"""The watch against a real HTTP server on a Unix socket: listing, events, reconnection."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mizzen.errors import ProtocolError
from mizzen.sources.config import Assembly
from mizzen.sources.lab import _Watch, watch


def event(kind: str, name: str, revision: int, namespace: str = "n") -> bytes:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}
    return (
        json.dumps({"type": kind, "revision": revision, "object": obj, "origin": {"file": "f", "line": 1}}).encode()
        + b"\n"
    )


def synced(revision: int) -> bytes:
    return json.dumps({"type": "SYNCED", "revision": revision}).encode() + b"\n"


class Supervisor:
    """Serves one script of lines per connection, then holds or closes it."""

    def __init__(self) -> None:
        self.queues: asyncio.Queue[asyncio.Queue[bytes | None]] = asyncio.Queue()

    async def objects(self, request: web.Request) -> web.StreamResponse:
        assert request.query["watch"] == "1"
        lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        response = web.StreamResponse()
        await response.prepare(request)
        await self.queues.put(lines)
        while (line := await lines.get()) is not None:
            await response.write(line)
        return response


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[tuple[Supervisor, Path]]:
    served = Supervisor()
    app = web.Application()
    app.router.add_get("/v1/objects", served.objects)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "sock")).start()
    yield served, tmp_path / "sock"
    await runner.cleanup()


async def test_list_events_and_reconnection(supervisor: tuple[Supervisor, Path]) -> None:
    served, socket = supervisor
    configs = watch(socket)
    async with asyncio.timeout(5):
        first = asyncio.ensure_future(anext(configs))  # noqa: TID251 (the server must see it before it answers)
        lines = await served.queues.get()
        await lines.put(event("ADDED", "a", 1) + event("ADDED", "b", 2))
        await lines.put(synced(2))
        config = await first
        assert (set(config.of("ConfigMap")), config.revision) == ({("n", "a"), ("n", "b")}, 2)
        await lines.put(event("DELETED", "a", 3) + event("ADDED", "c", 4))
        config = await anext(configs)
        assert (set(config.of("ConfigMap")), config.revision) == ({("n", "b"), ("n", "c")}, 4)
        await lines.put(None)
        after = asyncio.ensure_future(anext(configs))  # noqa: TID251 (as above)
        lines = await served.queues.get()
        await lines.put(event("ADDED", "c", 5) + synced(5))
        config = await after
        assert (set(config.of("ConfigMap")), config.revision) == ({("n", "c")}, 5)
        await lines.put(None)
    await configs.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [b"no json", b"[]", b"{}", b'{"type": "ADDED"}', b'{"type": "ADDED", "revision": 1e999}', b"[" * 200_000],
)
def test_what_is_no_event(line: bytes) -> None:
    state: Any = _Watch(Assembly())
    with pytest.raises(ProtocolError):
        state.event(line)
