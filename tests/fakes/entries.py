"""Where workload entries are kept, in memory: what the lab's supervisor does of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from mizzen.lab import entries
from mizzen.lab.store import Store

Raw = dict[str, Any]


class FakeEntries:
    """``broken`` makes every call fail. ``changed`` is set at each write."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory)
        self.broken = False
        self.changed = asyncio.Event()
        self.writes: list[Raw] = []

    async def get(self, namespace: str, name: str) -> Raw | None:
        self._look()
        return self.store.get(entries.KIND, namespace, name)

    async def create(self, entry: Raw) -> None:
        self._write({"create": entry})

    async def change(self, entry: Raw, patch: Raw) -> None:
        self._write({"change": entry["metadata"], "patch": patch})

    async def delete(self, entry: Raw) -> None:
        self._write({"delete": entry["metadata"]})

    def _look(self) -> None:
        if self.broken:
            raise OSError("the store is away")

    def _write(self, body: Raw) -> None:
        self._look()
        entries.write(self.store, body)
        self.writes.append(body)
        self.changed.set()
        self.changed = asyncio.Event()

    def names(self) -> list[str]:
        return [raw["metadata"]["name"] for raw in self.store.list(entries.KIND)]

    def annotations(self, name: str, namespace: str = "vms") -> dict[str, str]:
        raw = self.store.get(entries.KIND, namespace, name)
        assert raw is not None
        return dict(raw["metadata"]["annotations"])

    def health(self, name: str, namespace: str = "vms") -> tuple[str, str] | None:
        """Status and message of the condition, None without one."""
        raw = self.store.get(entries.KIND, namespace, name)
        assert raw is not None
        found = [c for c in (raw.get("status") or {}).get("conditions") or [] if c["type"] == "Healthy"]
        return (found[0]["status"], found[0].get("message", "")) if found else None
