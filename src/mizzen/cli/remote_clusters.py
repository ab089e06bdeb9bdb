"""``mizzen remote-clusters`` (row IX-22)."""

from __future__ import annotations

import click

from mizzen.cli.options import mesh_options, output_option

_HEADER = ("NAME", "SECRET", "STATUS", "ISTIOD", "REVISION")


@click.command("remote-clusters")
@output_option("json")
@mesh_options
def command(output: str | None) -> None:
    """List the clusters that the control plane reads, and whether it has read them."""
    from mizzen.cli.connection import control_plane, lab
    from mizzen.cli.output import emit, table, to_json

    found = control_plane().clusterz()
    if output:
        emit(to_json(found))
        return
    istiod = str((lab().status().get("controlplane") or {}).get("name") or "istiod")
    rows = [(str(c["id"]), _secret(str(c["secretName"])), str(c["syncStatus"]), istiod, "default") for c in found]
    emit(table(_HEADER, rows, gap=5))


def _secret(name: str) -> str:
    return f"istio-system/{name}" if name else ""
