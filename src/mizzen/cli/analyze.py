"""``mizzen analyze``: not there yet, and it says so."""

from __future__ import annotations

import click

from mizzen.cli.options import files_option, mesh_options, namespace_option


@click.command("analyze")
@files_option()
@namespace_option
@click.option("--suppress", multiple=True, metavar="CODE=KIND NAME.NS", help="Leave out findings.")
@mesh_options
def command(paths: tuple[str, ...], namespace: str | None, suppress: tuple[str, ...]) -> int:
    """Check how objects fit together. It is not there yet: `validate` checks each object by itself."""
    from mizzen.cli.failure import Exit, Failure

    raise Failure(
        "analyze is not there yet", hint="check each object by itself: `mizzen validate -f PATH`", code=Exit.USAGE
    )
