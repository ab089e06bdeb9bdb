"""``discoverySelectors``: objects of namespaces that none of them selects are not there (rows CM-13, MC-18)."""

from __future__ import annotations

from collections.abc import Mapping

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.label_selector import matches, problem

Objects = Mapping[ObjectKey, Object]


def namespaces(mesh: MeshConfig, every: Objects) -> frozenset[str] | None:
    """The selected namespaces; None where all are.

    No namespace is exempt. An invalid selector selects nothing by itself; `check` reports it.
    """
    if not mesh.discovery_selectors:
        return None
    selectors = [raw for raw in mesh.discovery_selectors if problem(raw) == ""]
    labelled = ((obj.name, {"kubernetes.io/metadata.name": obj.name, **obj.meta.labels}) for obj in every.values())
    return frozenset(name for name, labels in labelled if any(matches(raw, labels) for raw in selectors))


def selected(objects: Objects, chosen: frozenset[str] | None) -> Objects:
    """``objects`` of the chosen namespaces, and those of none; the very same mapping where all are chosen."""
    if chosen is None:
        return objects
    return {key: obj for key, obj in objects.items() if not key[0] or key[0] in chosen}
