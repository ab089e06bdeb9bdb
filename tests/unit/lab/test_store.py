"""The object store: what is assigned, what is kept on disk, what watchers hear."""

import stat
from pathlib import Path
from typing import Any

import pytest

from mizzen.lab.store import Store

Raw = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "objects")
    made.load()
    return made


def config_map(value: str = "1") -> Raw:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": value}}


async def test_created_unchanged_configured(store: Store) -> None:
    assert store.put(config_map(), durable=True)[0] == "created"
    revision = store.revision
    assert store.put(config_map(), durable=True)[0] == "unchanged"
    assert store.revision == revision
    action, raw = store.put(config_map("2"), durable=True)
    assert (action, raw["metadata"]["generation"]) == ("configured", 2)


async def test_identity_survives_changes_and_restarts(store: Store, tmp_path: Path) -> None:
    _, first = store.put(config_map(), {"file": "x.yaml", "line": 3}, durable=True)
    _, second = store.put(config_map("2"), {"file": "x.yaml", "line": 3}, durable=True)
    again = Store(tmp_path / "objects")
    again.load()
    loaded = again.get("ConfigMap", "default", "c")
    assert loaded is not None
    for name in ("uid", "creationTimestamp"):
        assert first["metadata"][name] == second["metadata"][name] == loaded["metadata"][name]
    assert again.origin(loaded) == {"file": "x.yaml", "line": 3}
    assert again.revision == store.revision


async def test_files_are_for_their_owner_only_and_lab_objects_stay_in_memory(store: Store, tmp_path: Path) -> None:
    store.put(config_map(), durable=True)
    store.put({"kind": "Pod", "metadata": {"name": "p"}})
    files = list((tmp_path / "objects").rglob("*.yaml"))
    assert [f.name for f in files] == ["c.yaml"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


async def test_a_service_keeps_its_address_when_applied_again(store: Store) -> None:
    service = {"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    store.put(service, durable=True)
    store.put({**service, "spec": {**service["spec"], "clusterIP": "10.0.0.1"}}, durable=True)
    assert store.put(service, durable=True)[0] == "unchanged"
    kept = store.get("Service", "default", "s")
    assert kept is not None
    assert kept["spec"]["clusterIP"] == "10.0.0.1"


async def test_the_status_of_a_successor_is_not_overwritten(store: Store) -> None:
    _, first = store.put(config_map())
    store.delete("ConfigMap", "default", "c")
    store.put(config_map())
    store.put_status(first, {"old": True})
    current = store.get("ConfigMap", "default", "c")
    assert current is not None
    assert "status" not in current


async def test_watchers_hear_everything_in_order(store: Store) -> None:
    queue = store.watch()
    store.put(config_map())
    store.put(config_map("2"))
    store.delete("ConfigMap", "default", "c")
    events = [queue.get_nowait() for _ in range(3)]
    assert [e.type for e in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert [e.revision for e in events] == [1, 2, 3]


async def test_a_damaged_file_is_named_and_harms_no_other(store: Store, tmp_path: Path) -> None:
    store.put(config_map(), durable=True)
    (tmp_path / "objects" / "ConfigMap" / "default" / "bad.yaml").write_text("{", encoding="utf-8")
    again = Store(tmp_path / "objects")
    again.load()
    assert again.get("ConfigMap", "default", "c") is not None
    assert "bad.yaml" in again.broken[0]
