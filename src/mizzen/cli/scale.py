"""``mizzen scale deploy/NAME --replicas R``."""

from __future__ import annotations

import click

from mizzen.cli.options import mesh_options, namespace_option, output_option, timeout_option, wait_option


@click.command("scale")
@click.argument("workload", nargs=-1, required=True, metavar="KIND/NAME")
@click.option("--replicas", type=click.IntRange(min=0), required=True, help="How many pods.")
@namespace_option
@wait_option
@timeout_option("30s")
@output_option("json", "yaml", "name")
@mesh_options
def command(
    workload: tuple[str, ...], replicas: int, namespace: str | None, wait: bool, timeout: float, output: str | None
) -> int:
    """Set the number of replicas of a Deployment, StatefulSet or ReplicaSet."""
    from mizzen.cli import changes
    from mizzen.cli.connection import lab
    from mizzen.cli.workloads import one_workload

    kind, name = one_workload(workload, "scaled")
    client = lab()
    answer = client.patch(kind, namespace or "default", name, {"spec": {"replicas": replicas}})
    return changes.finish(client, answer, output=output, waits=wait, timeout=timeout, verb="scaled")
