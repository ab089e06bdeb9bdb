"""The object store: what users applied, one YAML file each, and what the lab made of it, in memory only."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from mizzen.api.kinds import kind_of

Raw = dict[str, Any]
Key = tuple[str, str, str]
"""Kind, namespace (empty for cluster-wide kinds), name. A kind whose name another group has too carries its group
(``Gateway.gateway.networking.k8s.io``), as in ``api.kinds.KINDS``."""

CLUSTER_WIDE = frozenset(
    [
        "Namespace",
        "Node",
        "PersistentVolume",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "StorageClass",
        "IngressClass",
        "GatewayClass",
        "PriorityClass",
        "RuntimeClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "APIService",
        "CertificateSigningRequest",
    ]
)
DEPLOYED_BY = "gateway.istio.io/controller-version"
"""Annotation of a Gateway: the version of the controller that deploys it. Applying the Gateway again does not take it away."""
_OWN_METADATA = ("uid", "creationTimestamp", "generation", "resourceVersion", "managedFields", "selfLink")


class Stored(Struct, frozen=True):
    raw: Raw
    origin: dict[str, Any] | None
    durable: bool


class Event(Struct, frozen=True):
    """``type`` is ADDED, MODIFIED or DELETED."""

    type: str
    revision: int
    stored: Stored


def key_of(raw: Raw) -> Key:
    """Where an object belongs; an object without namespace lives in ``default`` unless its kind is cluster-wide."""
    meta, info = raw.get("metadata") or {}, kind_of(str(raw.get("apiVersion", "")), str(raw.get("kind", "")))
    kind = info.key if info is not None else str(raw.get("kind", ""))
    return kind, "" if kind in CLUSTER_WIDE else str(meta.get("namespace") or "default"), str(meta.get("name", ""))


def timestamp(when: datetime | None = None) -> str:
    """RFC 3339 with microseconds, so that the age of two objects of one file differs."""
    return (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Store:
    """All methods belong to one event loop. ``directory`` holds the users' objects and survives the mesh."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._objects: dict[Key, Stored] = {}
        self._watchers: set[asyncio.Queue[Event]] = set()
        self.revision = 0
        self.broken: list[str] = []

    def load(self) -> None:
        """Read what an earlier run left. A file that cannot be read is named in ``broken`` and left alone."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(self._directory.glob("*/*/*.yaml")):
            try:
                raw = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
                key = key_of(raw)
                version = int(raw["metadata"].get("resourceVersion", 0))
            except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
                self.broken.append(f"{path}: {error}")
                continue
            origin = None
            with contextlib.suppress(OSError, ValueError):
                origin = json.loads(path.with_suffix(".origin").read_text(encoding="utf-8"))
            self._objects[key] = Stored(raw, origin, True)
            self.revision = max(self.revision, version)

    def get(self, kind: str, namespace: str, name: str) -> Raw | None:
        """The object itself, not a copy: do not change it."""
        stored = self._objects.get((kind, "" if kind in CLUSTER_WIDE else namespace, name))
        return stored.raw if stored else None

    def origin(self, raw: Raw) -> dict[str, Any] | None:
        stored = self._objects.get(key_of(raw))
        return stored.origin if stored else None

    def list(self, kind: str = "", namespace: str = "", name: str = "") -> list[Raw]:
        """Those of a kind, by its key; a name that several groups have means all of them."""
        found = ((key[0], self._objects[key].raw) for key in sorted(self._objects))
        return [raw for own, raw in found if kind in ("", own, raw["kind"]) and _in(raw, namespace, name)]

    def stored(self) -> Iterator[Stored]:
        """Everything, sorted by kind, namespace and name."""
        return (self._objects[key] for key in sorted(self._objects))

    def compare(self, raw: Raw) -> str:
        """What :meth:`put` would do: ``created``, ``configured`` or ``unchanged``."""
        old = self._objects.get(key_of(raw))
        if old is None:
            return "created"
        return "unchanged" if _content(_keep_assigned(raw, old.raw)) == _content(old.raw) else "configured"

    def put(self, raw: Raw, origin: dict[str, Any] | None = None, durable: bool = False) -> tuple[str, Raw]:
        """Store an object as a whole; what the system assigned before (uid, ClusterIP, status) stays."""
        action, key = self.compare(raw), key_of(raw)
        old = self._objects.get(key)
        if old is not None and action == "unchanged":
            if origin is not None and origin != old.origin:
                self._keep(key, Stored(old.raw, origin, old.durable))
            return action, old.raw
        new = _keep_assigned(raw, old.raw if old else {})
        meta = new.setdefault("metadata", {})
        before = old.raw["metadata"] if old else {}
        if key[1]:
            meta["namespace"] = key[1]
        meta["uid"] = before.get("uid") or str(uuid.uuid4())
        meta["creationTimestamp"] = before.get("creationTimestamp") or timestamp()
        grown = old is None or _spec(new) != _spec(old.raw)
        meta["generation"] = int(before.get("generation", 0)) + int(grown)
        self._change(key, Stored(new, origin, durable or bool(old and old.durable)), "MODIFIED" if old else "ADDED")
        return action, new

    def put_status(self, raw: Raw, status: Raw) -> None:
        """Replace the status of an object that is still the same one (by uid)."""
        old = self._objects.get(key_of(raw))
        if old is None or old.raw["metadata"]["uid"] != raw["metadata"]["uid"] or old.raw.get("status") == status:
            return
        new = {**old.raw, "metadata": dict(old.raw["metadata"]), "status": status}
        self._change(key_of(raw), Stored(new, old.origin, old.durable), "MODIFIED", write=False)

    def delete(self, kind: str, namespace: str, name: str) -> Raw | None:
        """The object that was removed, or None."""
        key = (kind, "" if kind in CLUSTER_WIDE else namespace, name)
        old = self._objects.pop(key, None)
        if old is None:
            return None
        self.revision += 1
        if old.durable:
            for path in (self._path(key), self._path(key).with_suffix(".origin")):
                path.unlink(missing_ok=True)
        self._tell(Event("DELETED", self.revision, old))
        return old.raw

    def watch(self) -> asyncio.Queue[Event]:
        """A queue of everything that changes from now on; give it back with :meth:`unwatch`."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._watchers.add(queue)
        return queue

    def unwatch(self, queue: asyncio.Queue[Event]) -> None:
        self._watchers.discard(queue)

    def _change(self, key: Key, stored: Stored, kind: str, write: bool = True) -> None:
        self.revision += 1
        stored.raw["metadata"]["resourceVersion"] = str(self.revision)
        self._objects[key] = stored
        if stored.durable and write:
            self._keep(key, stored)
        self._tell(Event(kind, self.revision, stored))

    def _tell(self, event: Event) -> None:
        for queue in self._watchers:
            queue.put_nowait(event)

    def _keep(self, key: Key, stored: Stored) -> None:
        self._objects[key] = stored
        if not stored.durable:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {name: value for name, value in stored.raw.items() if name != "status"}
        _replace(path, yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False))
        if stored.origin is not None:
            _replace(path.with_suffix(".origin"), json.dumps(stored.origin))

    def _path(self, key: Key) -> Path:
        kind, namespace, name = (part.replace("/", "_") for part in key)
        return self._directory / kind / (namespace or "_cluster") / f"{name}.yaml"


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


def _in(raw: Raw, namespace: str, name: str) -> bool:
    meta = raw["metadata"]
    return namespace in ("", meta.get("namespace", "")) and name in ("", meta.get("name"))


def _keep_assigned(raw: Raw, old: Raw) -> Raw:
    new = copy.deepcopy(raw)
    if "status" not in new and "status" in old:
        new["status"] = old["status"]
    kept = ((old.get("metadata") or {}).get("annotations") or {}).get(DEPLOYED_BY)
    if kept is not None and new.get("kind") == "Gateway":
        meta = new.setdefault("metadata", {})
        meta["annotations"] = {DEPLOYED_BY: kept, **(meta.get("annotations") or {})}
    if new.get("kind") == "Service" and isinstance(new.get("spec"), dict) and old:
        for name in ("clusterIP", "clusterIPs"):
            if name in old["spec"]:
                new["spec"].setdefault(name, old["spec"][name])
    return new


def _content(raw: Raw) -> Raw:
    meta = {
        name: value for name, value in (raw.get("metadata") or {}).items() if name not in (*_OWN_METADATA, "namespace")
    }
    return {**raw, "metadata": meta}


def _spec(raw: Raw) -> Raw:
    return {name: value for name, value in raw.items() if name not in ("metadata", "status")}
