"""``mizzen up``."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.options import files_option, mesh_options, namespace_option, timeout_option

if TYPE_CHECKING:
    from mizzen.cli.documents import Read
    from mizzen.lab.client import LabClient

Json = dict[str, Any]

_ROUND_SECONDS = 0.5
_WATCH_SECONDS = 1.0
_TOLD_SECONDS = 5.0
_STUCK_SECONDS = 3.0
"""How long pods that cannot start as they are written are waited for: another command may bring what they lack."""


@click.command("up")
@files_option()
@namespace_option
@click.option("-d", "--detach", is_flag=True, help="Return when everything is ready and leave the mesh running.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    help="Settings of the lab (default: mizzen.yaml, if it is there).",
)
@click.option(
    "--authorization-mode",
    "mode",
    type=click.Choice(("AlwaysAllow", "RBAC")),
    help="Who may list Secrets, and so is sent those that a gateway names: everyone (the default, as with kube-apiserver), "
    "or the service accounts that a Role lets.",
)
@timeout_option("60s")
@mesh_options
def command(
    paths: tuple[str, ...], namespace: str | None, detach: bool, config: str | None, mode: str | None, timeout: float
) -> int:
    """Start the mesh on this machine, apply files to it and wait until everything is ready.

    Without --detach the mesh runs until Ctrl-C. On a mesh that runs already, the files are applied to it.
    """
    from mizzen.cli import consequences
    from mizzen.cli.changes import show_consequences
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Exit
    from mizzen.cli.options import mesh_name, state_directory
    from mizzen.cli.output import note

    mesh = mesh_name()
    state = state_directory(mesh)
    read = _read(paths, namespace)
    client = lab()
    started = not client.running()
    if started:
        _start(mesh, state, config, mode)
        note(f"mesh {mesh}: started")
    else:
        _same_settings(client, config, mode)
    before = frozenset() if started else consequences.known()
    code, answer = _apply(client, read)
    waiting = _until_ready(client, timeout)
    for reason in waiting:
        note(f"not ready: {reason}")
    if waiting:
        note(
            "  next: `mizzen ps` shows every pod, `mizzen logs POD` what it wrote, `mizzen doctor` what the machine lacks"
        )
        code = code or Exit.NOT_READY
    else:
        _until_told(client)
        _say_ready(client)
    if answer is not None:
        show_consequences(answer["revision"], answer["results"], before, read)
    if started and not detach:
        return _stay(client, code)
    return code


def _read(paths: tuple[str, ...], namespace: str | None) -> Read:
    """The documents; what could not be read is told before anything is started."""
    from mizzen.cli import documents
    from mizzen.cli.findings import show

    if not paths:
        return documents.Read([], [])
    read = documents.read(paths, namespace)
    show(read.findings)
    return read


def _start(mesh: str, state: Any, config: str | None, mode: str | None) -> None:
    from mizzen.lab import launch

    path = _settings_file(config)
    launch.start(mesh, state, path.resolve() if path else None, mode)


def _settings_file(config: str | None) -> Path | None:
    path = Path(config) if config else Path("mizzen.yaml")
    return path if path.exists() else None


def _same_settings(client: LabClient, config: str | None, mode: str | None) -> None:
    """A running mesh keeps the settings that it began with. Raises Failure for another ``--authorization-mode`` and for
    others by ``--config``; warns of others in the working directory."""
    from mizzen.cli.failure import Failure
    from mizzen.cli.output import note
    from mizzen.lab import settings

    status = client.status()
    begun = status.get("authorizationMode")
    if mode is not None and mode != begun:
        problem = f"the mesh runs with --authorization-mode {begun}: that is read when it starts"
        raise Failure(problem, hint=f"`mizzen down`, then `mizzen up --authorization-mode {mode}`")
    path = _settings_file(config)
    if path is None or settings.digest(settings.read(path)) == status.get("settings"):
        return
    problem = f"the mesh runs with other settings than those of {path}: they are read when it starts"
    hint = f"`mizzen down`, then `mizzen up --config {path}`"
    if config:
        raise Failure(problem, hint=hint)
    note(f"Warning: {problem}\n  next: {hint}")


def _apply(client: LabClient, read: Read) -> tuple[int, Json | None]:
    """The exit code, and the supervisor's answer when there was something to apply."""
    from mizzen.cli.changes import located, refused, show_results
    from mizzen.cli.failure import Exit
    from mizzen.cli.findings import has_error

    code = Exit.ERROR if has_error(read.findings) else Exit.DONE
    if read.documents:
        answer = client.apply(read.documents)
        results = located(answer["results"], read)
        show_results(results)
        return (Exit.ERROR if refused(results) else code), {**answer, "results": results}
    return code, None


def _until_ready(client: LabClient, timeout: float) -> list[str]:
    """Wait, telling each pod that becomes ready; what was not ready when ``timeout`` (seconds) had passed."""
    deadline = time.monotonic() + timeout
    progress = Progress()
    hopeful = time.monotonic()
    while True:
        left = deadline - time.monotonic()
        answer = client.ready(max(min(_ROUND_SECONDS, left), 0.0))
        progress.update(client.status()["pods"], answer["waiting"])
        if answer["ready"]:
            progress.close()
            return []
        if not answer.get("stuck"):
            hopeful = time.monotonic()
        if left <= 0 or time.monotonic() - hopeful > _STUCK_SECONDS:
            progress.close()
            return list(answer["waiting"]) or ["something, but the supervisor did not say what"]


class Progress:
    """A line for each pod that becomes ready; on a terminal also one last line that tells who is waited for."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._told: set[tuple[str, str]] = set()

    def update(self, pods: list[Json], waiting: list[str]) -> None:
        """Show what is new in ``pods``; ``waiting`` are reasons such as ``pod default/x: starting``."""
        for pod in pods:
            key = (pod["namespace"], pod["name"])
            if pod["ready"] is True and key not in self._told:
                self._told.add(key)
                self._line(
                    f"ready after {time.monotonic() - self._begun:4.1f} s: {key[0]}/{key[1]} {pod.get('ip') or ''}".rstrip()
                )
        if self._live and waiting:
            sys.stderr.write(f"\r\x1b[K{f'waiting for {len(waiting)}: {waiting[0]}'[:100]}")
            sys.stderr.flush()

    def _line(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Remove the waiting line."""
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _until_told(client: LabClient) -> None:
    """Wait until the proxies know which pods are ready, so that the next request finds them. One that refuses holds up nobody."""
    from mizzen.cli.connection import control_plane
    from mizzen.errors import LabError

    with suppress(LabError):
        control_plane().wait(client.objects("Namespace")[0], _TOLD_SECONDS)


def _say_ready(client: LabClient) -> None:
    from mizzen.cli.output import emit, note
    from mizzen.cli.ps import summary

    status = client.status()
    for warning in status.get("warnings") or []:
        note(f"Warning: {warning}")
    emit(f"mesh {status['mesh']} is ready: {len(status['pods'])} pods")
    for line in summary(status)[1:]:
        emit(line)


def _stay(client: LabClient, code: int) -> int:
    """Hold the mesh until we are interrupted, then take it down; return early when somebody else took it down."""
    from mizzen.cli.output import note
    from mizzen.errors import LabError

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    note("Ctrl-C takes the mesh down (`mizzen up --detach` leaves it running)")
    try:
        while client.running():
            time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        # A second Ctrl-C must not leave half a mesh: `mizzen down` cleans up, whatever state this leaves.
        note("taking the mesh down")
        with suppress(LabError):
            client.down()
    return code
