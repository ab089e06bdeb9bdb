"""``mizzen remote-clusters`` (row IX-22)."""

from __future__ import annotations

from typing import Any

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
    pods = (pod["metadata"] for pod in lab().objects("Pod", "istio-system")[1])
    istiods = [meta for meta in pods if (meta.get("labels") or {}).get("istio") == "pilot"]
    rows = [
        (str(c["id"]), _secret(str(c["secretName"])), str(c["syncStatus"]), meta["name"], _revision(meta))
        for meta in istiods
        for c in found
    ]
    emit(table(_HEADER, rows, gap=5))


def _secret(name: str) -> str:
    return f"istio-system/{name}" if name else ""


def _revision(meta: dict[str, Any]) -> str:
    return str(meta["labels"].get("istio.io/rev") or "default")
