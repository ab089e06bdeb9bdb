"""``mizzen experimental workload``: groups of machines, and the files for one of them (row IX-34)."""

from __future__ import annotations

from mizzen.cli.lazy import LazyGroup
from mizzen.cli.options import mesh_options

command = mesh_options(
    LazyGroup(
        "workload",
        commands_at={
            "group": ("mizzen.cli.machines.group", "Print a WorkloadGroup."),
            "entry": ("mizzen.cli.machines.entry", "Write what a machine needs to join the mesh."),
        },
        help="Make machines outside the cluster members of the mesh.",
    )
)
