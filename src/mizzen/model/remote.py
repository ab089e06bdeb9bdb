"""Other clusters of the mesh, of which only what runs there counts (row MCL-05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mizzen.api.meta import Object

KINDS = ("Service", "EndpointSlice", "Pod", "Node", "Namespace", "WorkloadEntry")
"""The kinds that are read of another cluster. Its Istio objects and Secrets are not."""

_EMPTY: Mapping[tuple[str, str], Object] = {}


class Sync(StrEnum):
    """Whether a cluster was read, as Istio calls it."""

    SYNCING = "syncing"
    SYNCED = "synced"
    TIMEOUT = "timeout"
    """Not within its time: the mesh goes on without it, until it is read after all."""


@dataclass(frozen=True, eq=False)
class Remote:
    """``objects`` by kind (those of :data:`KINDS`), then by (namespace, name). An empty ``trust_domain`` is the mesh's own.

    ``secret`` is the name of the Secret that told of the cluster.
    """

    objects: Mapping[str, Mapping[tuple[str, str], Object]] = field(default_factory=dict)
    trust_domain: str = ""
    secret: str = ""
    status: Sync = Sync.SYNCING

    def of(self, kind: str) -> Mapping[tuple[str, str], Object]:
        """The objects of one kind; the same mapping object as long as none of them changed."""
        return self.objects.get(kind, _EMPTY)
