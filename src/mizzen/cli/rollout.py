"""``mizzen rollout restart|status deploy/NAME``."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from mizzen.cli.options import mesh_options, namespace_option, timeout_option

ROLLED = ("Deployment", "StatefulSet", "DaemonSet")

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation by which kubectl makes a new pod template of the same content."""


@click.group("rollout")
@mesh_options
def command() -> None:
    """Restart a workload, or wait for its rollout."""


@command.command("restart")
@click.argument("workload", nargs=-1, required=True, metavar="KIND/NAME")
@namespace_option
@mesh_options
def restart(workload: tuple[str, ...], namespace: str | None) -> int:
    """Replace every pod of a workload by a new one, as many at a time as its strategy allows."""
    from mizzen.cli import changes
    from mizzen.cli.connection import lab
    from mizzen.cli.workloads import one_workload

    kind, name = one_workload(workload, "restarted", ROLLED)
    client = lab()
    stamp = datetime.now(UTC).isoformat(timespec="microseconds")
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: stamp}}}}}
    answer = client.patch(kind, namespace or "default", name, patch)
    return changes.finish(client, answer, output=None, waits=False, timeout=0, verb="restarted")


@command.command("status")
@click.argument("workload", nargs=-1, required=True, metavar="KIND/NAME")
@namespace_option
@timeout_option("60s")
@mesh_options
def status(workload: tuple[str, ...], namespace: str | None, timeout: float) -> int:
    """Wait until a workload is rolled out; exit 4 when it was not in time."""
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Exit
    from mizzen.cli.output import emit, note
    from mizzen.cli.workloads import one_workload

    kind, name = one_workload(workload, "rolled out", ROLLED)
    answer = lab().rollout(kind, namespace or "default", name, timeout)
    if answer["done"]:
        emit(answer.get("message") or f'{kind.lower()} "{name}" successfully rolled out')
        return Exit.DONE
    note(f"Error: {kind.lower()} {name} is not rolled out: {answer.get('message', '')}")
    return Exit.NOT_READY
