"""Other clusters of the mesh, of which only what runs there counts (row MCL-05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mizzen.api.meta import Object

KINDS = ("Service", "EndpointSlice", "Pod", "Node", "Namespace", "WorkloadEntry")
"""The kinds that are read of another cluster. Its Istio objects and Secrets are not."""

_EMPTY: Mapping[tuple[str, str], Object] = {}


@dataclass(frozen=True, eq=False)
class Remote:
    """``objects`` by kind (those of :data:`KINDS`), then by (namespace, name). An empty ``trust_domain`` is the mesh's own."""

    objects: Mapping[str, Mapping[tuple[str, str], Object]] = field(default_factory=dict)
    trust_domain: str = ""

    def of(self, kind: str) -> Mapping[tuple[str, str], Object]:
        """The objects of one kind; the same mapping object as long as none of them changed."""
        return self.objects.get(kind, _EMPTY)
