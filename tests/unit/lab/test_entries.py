"""What the control plane may write: WorkloadEntries, and only the very object that it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mizzen.lab.entries import KIND, write
from mizzen.lab.store import Store


def entry(name: str = "db-1", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": KIND,
        "metadata": {"name": name, "namespace": "vms", "annotations": {"a": "1", "b": "2"}},
        "spec": spec,
    }


def test_an_entry_is_made_changed_and_removed_in_memory(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert write(store, {"create": entry(address="10.0.0.9")})
    made = store.get(KIND, "vms", "db-1")
    assert made is not None
    reference = {"namespace": "vms", "name": "db-1", "uid": made["metadata"]["uid"]}
    patch = {"metadata": {"annotations": {"a": None, "c": "3"}}, "status": {"conditions": [{"type": "Healthy"}]}}
    assert write(store, {"change": reference, "patch": patch})
    changed = store.get(KIND, "vms", "db-1")
    assert changed is not None
    assert changed["metadata"]["annotations"] == {"b": "2", "c": "3"}
    assert changed["metadata"]["generation"] == 1
    assert changed["spec"] == {"address": "10.0.0.9"}
    assert changed["status"] == {"conditions": [{"type": "Healthy"}]}
    assert not list(tmp_path.iterdir())
    assert write(store, {"delete": reference})
    assert store.get(KIND, "vms", "db-1") is None


def test_what_is_another_object_by_now_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(entry(address="10.0.0.1"), durable=True)
    assert not write(store, {"create": entry(address="10.0.0.9")})
    old = {"namespace": "vms", "name": "db-1", "uid": "of an older one"}
    assert not write(store, {"change": old, "patch": {"spec": {"address": "10.0.0.9"}}})
    assert not write(store, {"delete": old})
    assert not write(store, {"delete": {**old, "name": "other"}})
    found = store.get(KIND, "vms", "db-1")
    assert found is not None
    assert found["spec"] == {"address": "10.0.0.1"}


@pytest.mark.parametrize(
    "body", [{}, {"create": {"kind": "Secret", "metadata": {"name": "a", "namespace": "b"}}}, {"change": {}}]
)
def test_nothing_else_can_be_written(tmp_path: Path, body: dict[str, Any]) -> None:
    store = Store(tmp_path)
    with pytest.raises((KeyError, ValueError)):
        write(store, body)
    assert not list(store.stored())
