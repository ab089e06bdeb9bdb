"""``mizzen edit KIND NAME``."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import click

from mizzen.cli.options import mesh_options, namespace_option, output_option, timeout_option, wait_option

Json = dict[str, Any]

_HEADER = """\
# Edit the object below. Lines that begin with '#' are ignored, and leaving the file as it is changes nothing.
#
"""


@click.command("edit")
@click.argument("objects", nargs=-1, required=True, metavar="KIND NAME | KIND/NAME")
@namespace_option
@wait_option
@timeout_option("30s")
@output_option("json", "yaml", "name")
@mesh_options
def command(objects: tuple[str, ...], namespace: str | None, wait: bool, timeout: float, output: str | None) -> int:
    """Edit an object in $KUBE_EDITOR, else $EDITOR, else vi, and apply it. A refused edit is kept in a file."""
    from mizzen.cli import changes, consequences
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.kinds import named, plural
    from mizzen.cli.output import emit, note, to_yaml

    targets = named(objects)
    if len(targets) != 1 or not targets[0].name:
        raise Failure("name one object, such as `mizzen edit vs reviews`", code=Exit.USAGE)
    target = targets[0]
    client = lab()
    space = (namespace or "default") if target.kind.namespaced else None
    items = client.objects(target.kind.key, space, target.name)[1]
    if not items:
        raise Failure(f'{plural(target.kind)} "{target.name}" not found')
    before = _HEADER + to_yaml({key: value for key, value in items[0].items() if key != "status"}) + "\n"
    path = _write(before, target.name)
    _open_editor(path)
    after = path.read_text()
    if _content(after) == _content(before):
        path.unlink()
        emit("Edit cancelled, no changes made.")
        return Exit.DONE
    edited = _parse(path)
    _same_object(items[0], edited, path)
    known = consequences.known()
    answer = client.apply([{"object": edited, "origin": None}])
    if changes.refused(answer["results"]):
        note(f"your edit is kept in {path}: correct it and run `mizzen apply -f {path}`")
    else:
        path.unlink()
    return changes.finish(client, answer, output=output, waits=wait, timeout=timeout, verb="edited", before=known)


def _write(text: str, name: str) -> Path:
    # NamedTemporaryFile is 0600: a Secret is edited here too.
    with tempfile.NamedTemporaryFile("w", prefix=f"mizzen-edit-{name}-", suffix=".yaml", delete=False) as file:
        file.write(text)
    return Path(file.name)


def _open_editor(path: Path) -> None:
    from mizzen.cli.failure import Failure

    editor = shlex.split(os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi")
    try:
        code = subprocess.run([*editor, str(path)], check=False).returncode
    except OSError as error:
        raise Failure(f"the editor {editor[0]!r} could not be started: {error.strerror}", hint="set EDITOR") from None
    if code != 0:
        raise Failure(f"the editor ended with code {code}; nothing was changed", hint=f"your text is kept in {path}")


def _content(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if not line.startswith("#")]


def _parse(path: Path) -> Json:
    from mizzen.cli import documents
    from mizzen.cli.failure import Failure
    from mizzen.cli.findings import show

    read = documents.read([str(path)])
    show(read.findings)
    if len(read.objects) != 1:
        raise Failure(f"the edited text holds {len(read.objects)} objects, not one", hint=f"it is kept in {path}")
    return read.objects[0]


def _same_object(before: Json, after: Json, path: Path) -> None:
    from mizzen.cli.failure import Failure

    def identity(raw: Json) -> tuple[Any, ...]:
        metadata = raw.get("metadata") or {}
        return raw.get("kind"), metadata.get("namespace") or "", metadata.get("name")

    if identity(before) != identity(after):
        raise Failure(
            "kind, name and namespace cannot be edited", hint=f"to make another object: `mizzen apply -f {path}`"
        )
