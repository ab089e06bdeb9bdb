"""``mizzen apply -f PATH``."""

from __future__ import annotations

import click

from mizzen.cli.options import (
    dry_run_option,
    files_option,
    mesh_options,
    namespace_option,
    output_option,
    timeout_option,
    wait_option,
)


@click.command("apply")
@files_option(required=True)
@namespace_option
@wait_option
@timeout_option("30s")
@click.option("--atomic", is_flag=True, help="Apply nothing when any object is refused.")
@dry_run_option
@output_option("json", "yaml", "name")
@mesh_options
def command(
    paths: tuple[str, ...],
    namespace: str | None,
    wait: bool,
    timeout: float,
    atomic: bool,
    dry_run: str,
    output: str | None,
) -> int:
    """Create or change the objects in files.

    An object that does not decode or validate is refused and the others are applied, unless --atomic is given.
    """
    from mizzen.cli import changes, consequences, documents
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.findings import has_error, show

    read = documents.read(paths, namespace)
    show(read.findings)
    broken = has_error(read.findings)
    if broken and atomic:
        raise Failure("nothing was applied: a file could not be read in full, and --atomic was given")
    if not read.documents:
        raise Failure("" if broken else "no objects were found in " + ", ".join(paths), code=Exit.ERROR)
    client = lab()
    before = consequences.known()
    answer = client.apply(read.documents, atomic=atomic, dry_run=dry_run != "none")
    return changes.finish(
        client,
        answer,
        output=output,
        waits=wait,
        timeout=timeout,
        dry_run=dry_run != "none",
        read=read,
        before=before,
    )
