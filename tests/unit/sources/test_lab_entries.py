"""The supervisor as a store of entries, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mizzen.lab import entries
from mizzen.lab.store import Store
from mizzen.sources.lab_entries import KIND, LabEntries

ENTRY = {
    "apiVersion": "networking.istio.io/v1",
    "kind": KIND,
    "metadata": {"name": "db-1", "namespace": "vms"},
    "spec": {"address": "10.0.0.9"},
}


@asynccontextmanager
async def supervisor(path: Path, store: Store) -> AsyncIterator[None]:
    async def objects(request: web.Request) -> web.Response:
        query = request.query
        return web.json_response({"items": store.list(query["kind"], query["namespace"], query["name"])})

    async def write(request: web.Request) -> web.Response:
        try:
            return web.json_response({"done": entries.write(store, await request.json())})
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)

    app = web.Application()
    app.add_routes([web.get("/v1/objects", objects), web.post("/v1/entries", write)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def test_an_entry_over_the_socket(tmp_path: Path) -> None:
    store, socket = Store(tmp_path / "objects"), tmp_path / "sock"
    found = LabEntries(socket)
    async with supervisor(socket, store):
        assert await found.get("vms", "db-1") is None
        await found.create(ENTRY)
        made: Any = await found.get("vms", "db-1")
        await found.change(made, {"spec": {"address": "10.0.0.7"}})
        changed: Any = await found.get("vms", "db-1")
        assert changed["spec"] == {"address": "10.0.0.7"}
        await found.delete({**made, "metadata": {**made["metadata"], "uid": "another"}})
        assert await found.get("vms", "db-1") is not None
        await found.delete(made)
        assert await found.get("vms", "db-1") is None
        with pytest.raises(OSError, match="does not answer"):
            await found.create({**ENTRY, "kind": "Secret"})


async def test_a_supervisor_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does not answer"):
        await LabEntries(tmp_path / "none").get("vms", "db-1")
