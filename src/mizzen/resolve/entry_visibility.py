"""``meshConfig.serviceEntryVisibility``: how far ServiceEntries of a namespace may be seen at the most (row SE-20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.label_selector import matches, problem
from mizzen.resolve import exports

NOBODY = ("~",)


class EntryVisibility:
    """Made once per build. ``namespaces`` are the Namespace objects, whose labels the policies read."""

    def __init__(self, mesh: MeshConfig, namespaces: Mapping[ObjectKey, Object]) -> None:
        self._settings = mesh.service_entry_visibility
        self._namespaces = namespaces

    def narrowed(self, export_to: tuple[str, ...], namespace: str) -> tuple[str, ...]:
        """``export_to`` of an entry in ``namespace``, never wider than it was. Only ``applyToSidecars`` makes proxies obey."""
        if not self._settings.get("applyToSidecars"):
            return export_to
        match self._decided(namespace):
            case "NONE":
                return NOBODY
            case "NAMESPACE":
                return (namespace,) if exports.visible(export_to, namespace) else NOBODY
            case _:
                return export_to

    def _decided(self, namespace: str) -> str:
        """The first policy whose rules all match, else the default."""
        found = self._namespaces.get(("", namespace))
        labels = found.meta.labels if found is not None else {}
        for policy in self._settings.get("policies") or ():
            if all(_fits(rule, labels) for rule in policy.get("matchingRules") or ()):
                return str(policy.get("visibility") or "")
        return str(self._settings.get("defaultVisibility") or "")


def _fits(rule: Mapping[str, Any], labels: dict[str, str]) -> bool:
    selector = rule.get("namespaceSelector") or {}
    return not problem(selector) and matches(selector, labels)
