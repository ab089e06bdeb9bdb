"""``mizzen down``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from mizzen.cli.options import mesh_options

_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 30.0


@click.command("down")
@click.option("--purge", is_flag=True, help="Remove the state too: objects, certificates, logs.")
@click.option(
    "--verify", is_flag=True, help="Prove that nothing of the mesh is left on this machine; exit 3 if something is."
)
@click.option("--drain", is_flag=True, help="Let requests in flight finish first.")
@mesh_options
def command(purge: bool, verify: bool, drain: bool) -> int:
    """Take the mesh down. Its state is kept, so that `mizzen up` brings it back.

    It works as well when the mesh's own processes were killed.
    """
    from mizzen.cli.failure import Exit
    from mizzen.cli.options import mesh_name, state_directory
    from mizzen.cli.output import emit, note
    from mizzen.lab import cleanup

    mesh = mesh_name()
    state = state_directory(mesh)
    was_running = _end(state, purge, drain)
    left = [] if was_running else cleanup.leftovers(mesh, state)
    cleanup.clean(mesh, state, purge)
    if left:
        emit(f"mesh {mesh} is down: its supervisor was dead, what it left behind is removed ({len(left)} found)")
    else:
        emit(f"mesh {mesh} is down" if was_running else f"mesh {mesh} was not running")
    if verify:
        left = cleanup.leftovers(mesh, state)
        for line in left:
            note(f"left behind: {line}")
        if left:
            return Exit.CHECK_FAILED
        emit("nothing of it is left on this machine")
    return Exit.DONE


def _end(state: Path, purge: bool, drain: bool) -> bool:
    """Ask the supervisor to end the mesh; False when there was none. One that dies over it leaves the rest to the cleanup."""
    from mizzen.cli.output import note
    from mizzen.errors import LabError
    from mizzen.lab.client import LabClient, NeedsRoot, NotRunning

    client = LabClient(state)
    try:
        client.down(purge=purge, drain=drain)
    except NeedsRoot:
        raise
    except NotRunning:
        return False
    except LabError as error:
        note(f"Warning: the supervisor did not end cleanly ({error}); cleaning up after it")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while client.running() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return True
