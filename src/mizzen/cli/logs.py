"""``mizzen logs POD``."""

from __future__ import annotations

import sys

import click

from mizzen.cli.options import mesh_options, namespace_option


@click.command("logs")
@click.argument("pod")
@click.argument("positional_container", required=False, metavar="[CONTAINER]")
@namespace_option
@click.option("-c", "--container", metavar="NAME", help="The container (default: the first that is not the sidecar).")
@click.option("-f", "--follow", is_flag=True, help="Go on printing what comes.")
@click.option("--tail", type=int, default=None, metavar="N", help="Only the last N lines.")
@mesh_options
def command(
    pod: str,
    positional_container: str | None,
    namespace: str | None,
    container: str | None,
    follow: bool,
    tail: int | None,
) -> None:
    """Print what a container wrote. POD may be `deploy/NAME` or `NAME.NAMESPACE`."""
    from mizzen.cli import targets
    from mizzen.cli.connection import finder, lab

    client = lab()
    chosen = targets.pods_of(pod, namespace, finder(client))[0]
    space, name = targets.identify(chosen)
    wanted = targets.chosen_container(chosen, container or positional_container)
    for piece in client.logs(space, name, wanted, follow=follow, tail=tail):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
