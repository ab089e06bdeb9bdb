"""What changed from one Config to the next, as Istio counts it: by kind, and by what it makes necessary (rows CPM-01, CPM-05)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mizzen.api.kinds import KINDS
from mizzen.api.meta import Object
from mizzen.model.config import Config, ObjectKey

_REGISTRY = {
    "Service": "Services",
    "EndpointSlice": "EndpointSlice",
    "Pod": "Pods",
    "Node": "Nodes",
    "Namespace": "Namespaces",
}
"""Kinds of the service registry, and what Istio calls them there."""
_TRIGGERS = {"Service": "service", "EndpointSlice": "endpoint", "Pod": "endpoint", "Namespace": "namespace"}
_INBOUND = {"EndpointSlice": "eds"}


@dataclass
class Events:
    """How often: ``config`` and ``registry`` by (kind, add, update or delete), ``triggers`` and ``inbound`` by sort."""

    config: Counter[tuple[str, str]] = field(default_factory=Counter)
    registry: Counter[tuple[str, str]] = field(default_factory=Counter)
    triggers: Counter[str] = field(default_factory=Counter)
    inbound: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, event: str) -> None:
        """One object of ``kind`` was added, updated or deleted."""
        if kind in _REGISTRY:
            self.registry[_REGISTRY[kind], event] += 1
        elif kind == "Secret":
            self.triggers["secret"] += 1
            return
        elif "istio.io" in KINDS[kind].api_version or "gateway.networking.k8s.io" in KINDS[kind].api_version:
            self.config[kind, event] += 1
            self.inbound["config"] += 1
            self.triggers["config"] += 1
        if kind == "Service":
            self.inbound["svcdelete" if event == "delete" else "svc"] += 1
        elif kind in _INBOUND:
            self.inbound[_INBOUND[kind]] += 1
        if kind in _TRIGGERS:
            self.triggers[_TRIGGERS[kind]] += 1


def events(before: Config | None, after: Config) -> Events:
    """Of the objects that are not the very same any more; a first Config adds everything."""
    found = Events()
    old = before.objects if before is not None else {}
    for kind in {*old, *after.objects}:
        if kind in KINDS:
            for event in _changes(old.get(kind, {}), after.objects.get(kind, {})):
                found.add(kind, event)
    if before is not None and before.mesh is not after.mesh:
        found.triggers["global"] += 1
    return found


def _changes(old: Mapping[ObjectKey, Object], new: Mapping[ObjectKey, Object]) -> Iterator[str]:
    if old is new:
        return
    for key, value in new.items():
        if key not in old:
            yield "add"
        elif old[key] is not value:
            yield "update"
    yield from ("delete" for key in old if key not in new)
