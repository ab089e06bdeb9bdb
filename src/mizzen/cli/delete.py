"""``mizzen delete KIND NAME`` and ``mizzen delete -f PATH``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.options import (
    all_namespaces_option,
    dry_run_option,
    files_option,
    mesh_options,
    namespace_option,
    output_option,
    timeout_option,
    wait_option,
)

if TYPE_CHECKING:
    from mizzen.lab.client import LabClient

Json = dict[str, Any]


@click.command("delete")
@click.argument("objects", nargs=-1, metavar="[KIND NAME… | KIND/NAME…]")
@files_option()
@namespace_option
@all_namespaces_option
@click.option("--all", "everything", is_flag=True, help="Every object of the kinds named.")
@click.option("--ignore-not-found", is_flag=True, help="An object that does not exist is no error.")
@wait_option
@timeout_option("30s")
@dry_run_option
@output_option("json", "yaml", "name")
@mesh_options
def command(
    objects: tuple[str, ...],
    paths: tuple[str, ...],
    namespace: str | None,
    all_namespaces: bool,
    everything: bool,
    ignore_not_found: bool,
    wait: bool,
    timeout: float,
    dry_run: str,
    output: str | None,
) -> int:
    """Delete objects by name, or those that files name."""
    from mizzen.cli import changes, consequences, documents
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.findings import show
    from mizzen.cli.output import note

    if bool(objects) == bool(paths):
        raise Failure("say what to delete: KIND NAME, or -f PATH", code=Exit.USAGE)
    client = lab()
    read = None
    if paths:
        read = documents.read(paths, namespace)
        show(read.findings)
        doomed = [_key(raw) for raw in read.objects]
    else:
        doomed = _named(client, objects, namespace, all_namespaces, everything)
    if not doomed:
        note("No resources found")
        return Exit.DONE
    known = consequences.known()
    answer = _would_delete(client, doomed) if dry_run != "none" else client.delete(doomed)
    missing = [result for result in answer["results"] if result["action"] == "not found"]
    answer["results"] = [result for result in answer["results"] if result["action"] != "not found"]
    code = changes.finish(
        client, answer, output=output, waits=wait, timeout=timeout, dry_run=dry_run != "none", read=read, before=known
    )
    if missing and not ignore_not_found:
        for result in missing:
            resource, _, name = changes.title(result).partition("/")
            note(f'Error: {resource} "{name}" not found in namespace {result.get("namespace") or "(none)"}')
        return code or Exit.ERROR
    return code


def _key(raw: Json) -> Json:
    from mizzen.api.kinds import kind_of

    metadata = raw.get("metadata") or {}
    info = kind_of(str(raw.get("apiVersion", "")), str(raw.get("kind", "")))
    return {
        "kind": info.key if info is not None else str(raw.get("kind", "")),
        "namespace": str(metadata.get("namespace") or ""),
        "name": str(metadata.get("name", "")),
    }


def _named(
    client: LabClient, words: Sequence[str], namespace: str | None, all_namespaces: bool, everything: bool
) -> list[Json]:
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.kinds import named

    doomed: list[Json] = []
    for target in named(words):
        space = (namespace or "default") if target.kind.namespaced else ""
        if target.name:
            doomed.append({"kind": target.kind.key, "namespace": space, "name": target.name})
        elif everything:
            scope = None if all_namespaces or not target.kind.namespaced else space
            doomed.extend(_key(raw) for raw in client.objects(target.kind.key, scope)[1])
        else:
            raise Failure("name the objects to delete, or say --all", code=Exit.USAGE)
    return doomed


def _would_delete(client: LabClient, doomed: Sequence[Json]) -> Json:
    """What a deletion would answer, from what exists now."""
    revision, results = 0, []
    for key in doomed:
        revision, found = client.objects(key["kind"], key["namespace"] or None, key["name"])
        results.append({**key, "action": "deleted" if found else "not found", "findings": []})
    return {"revision": revision, "results": results}
