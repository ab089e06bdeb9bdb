"""WorkloadEntries that the control plane writes, by ``POST /v1/entries``: its one way to change objects (row VM-03).

One of ``{"create": object}``, ``{"change": reference, "patch": merge patch}`` and ``{"delete": reference}``; a reference is
{"namespace", "name", "uid"}. What was created lives in memory, as all that the lab makes: it goes with the mesh.
"""

from __future__ import annotations

from typing import Any

from mizzen.lab.merging import merge
from mizzen.lab.store import Store

Raw = dict[str, Any]
KIND = "WorkloadEntry"


def write(store: Store, body: Raw) -> bool:
    """Do what ``body`` says; False when the object that it is about is another one or gone. Raises KeyError, ValueError."""
    if "create" in body:
        return _create(store, body["create"])
    change = "change" in body
    reference: Raw = body["change"] if change else body["delete"]
    namespace, name = str(reference["namespace"]), str(reference["name"])
    old = store.get(KIND, namespace, name)
    if old is None or old["metadata"]["uid"] != reference["uid"]:
        return False
    if change:
        store.put(merge(old, body["patch"]))
    else:
        store.delete(KIND, namespace, name)
    return True


def _create(store: Store, raw: Raw) -> bool:
    if raw.get("kind") != KIND:
        raise ValueError(f"no {KIND}")
    meta = raw["metadata"]
    if store.get(KIND, str(meta["namespace"]), str(meta["name"])) is not None:
        return False
    store.put(raw)
    return True
