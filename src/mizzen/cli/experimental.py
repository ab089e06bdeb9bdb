"""``mizzen experimental`` (``x``): Istio's commands of this group that concern a mesh of sidecars."""

from __future__ import annotations

from mizzen.cli.lazy import LazyGroup
from mizzen.cli.options import mesh_options

command = mesh_options(
    LazyGroup(
        "experimental",
        commands_at={"workload": ("mizzen.cli.machines", "Make machines outside the cluster members of the mesh.")},
        help="Commands that Istio keeps under this name.",
    )
)
