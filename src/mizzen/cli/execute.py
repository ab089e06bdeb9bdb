"""``mizzen exec POD -- CMD``."""

from __future__ import annotations

import click

from mizzen.cli.options import mesh_options, namespace_option


@click.command("exec")
@click.argument("pod")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="-- CMD…")
@namespace_option
@click.option("-c", "--container", metavar="NAME", help="The container (default: the first that is not the sidecar).")
@click.option(
    "-i", "--stdin", is_flag=True, help="Accepted for kubectl's sake: the command always gets our standard input."
)
@click.option("-t", "--tty", is_flag=True, help="Accepted for kubectl's sake: the command always gets our terminal.")
@mesh_options
def command(
    pod: str, arguments: tuple[str, ...], namespace: str | None, container: str | None, stdin: bool, tty: bool
) -> int:
    """Run a command in a pod, on our own input and output; the exit code is the command's, or 125 if it could not start.

    POD may be `deploy/NAME` or `NAME.NAMESPACE`.
    """
    from mizzen.cli import targets
    from mizzen.cli.connection import finder, lab
    from mizzen.cli.failure import Exit, Failure
    from mizzen.errors import LabError

    if not arguments:
        raise Failure(
            "say what to run after --",
            hint="such as `mizzen exec deploy/curl -- curl -s http://httpbin:8000/get`",
            code=Exit.USAGE,
        )
    client = lab()
    try:
        chosen = targets.pods_of(pod, namespace, finder(client))[0]
        space, name = targets.identify(chosen)
        return client.execute(space, name, targets.chosen_container(chosen, container), arguments)
    except Failure as failure:
        if failure.code is not Exit.USAGE:
            failure.code = Exit.NOT_STARTED
        raise
    except LabError as error:
        raise Failure(str(error), hint=error.hint, code=Exit.NOT_STARTED) from None
