"""The mesh that a command talks to, with errors that say what to do."""

from __future__ import annotations

from typing import Any

from mizzen.cli.options import mesh_name, state_directory
from mizzen.lab.client import ControlPlaneClient, LabClient

Json = dict[str, Any]


def lab() -> LabClient:
    """The supervisor of the mesh that ``--mesh`` names."""
    return LabClient(state_directory(mesh_name()))


def control_plane() -> ControlPlaneClient:
    """The control plane of the mesh that ``--mesh`` names."""
    return ControlPlaneClient(state_directory(mesh_name()))


def finder(client: LabClient) -> Any:
    """A :data:`mizzen.cli.targets.Find` over the running mesh; ReplicaSets and pods of one command are read once."""
    cache: dict[tuple[str, str, str], list[Json]] = {}

    def find(kind: str, namespace: str, name: str) -> list[Json]:
        key = (kind, namespace, name)
        if key not in cache:
            cache[key] = client.objects(kind, namespace or None, name or None)[1]
        return cache[key]

    return find
