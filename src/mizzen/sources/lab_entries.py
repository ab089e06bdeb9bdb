"""WorkloadEntries written through the supervisor: the way back of :mod:`mizzen.sources.lab` (row VM-03)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

Raw = dict[str, Any]
KIND = "WorkloadEntry"
_SECONDS = 5.0


class LabEntries:
    """Over the socket of the supervisor. Every method raises OSError when it does not answer."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def get(self, namespace: str, name: str) -> Raw | None:
        """The entry as it is now."""
        found = await self._ask("GET", "/v1/objects", params={"kind": KIND, "namespace": namespace, "name": name})
        return next(iter(found["items"]), None)

    async def create(self, entry: Raw) -> None:
        """Store a new one; one of this name that appeared meanwhile stays."""
        await self._ask("POST", "/v1/entries", {"create": entry})

    async def change(self, entry: Raw, patch: Raw) -> None:
        """Merge ``patch`` into it, unless it is gone."""
        await self._ask("POST", "/v1/entries", {"change": _reference(entry), "patch": patch})

    async def delete(self, entry: Raw) -> None:
        """Remove it, unless another of its name took its place."""
        await self._ask("POST", "/v1/entries", {"delete": _reference(entry)})

    async def _ask(self, method: str, path: str, body: Raw | None = None, params: dict[str, str] | None = None) -> Any:
        connector = aiohttp.UnixConnector(path=str(self._socket))
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, raise_for_status=True) as session,
                session.request(method, f"http://lab{path}", json=body, params=params) as response,
            ):
                return await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OSError(f"the supervisor does not answer: {error}") from error


def _reference(entry: Raw) -> Raw:
    meta = entry["metadata"]
    return {"namespace": meta["namespace"], "name": meta["name"], "uid": meta.get("uid", "")}
