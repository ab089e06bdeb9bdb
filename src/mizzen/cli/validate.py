"""``mizzen validate -f PATH`` (row IX-07)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import files_option, mesh_options, namespace_option, output_option

Json = dict[str, Any]


@click.command("validate")
@files_option()
@click.argument("arguments", nargs=-1, metavar="[PATH…]")
@namespace_option
@click.option("--suppress", multiple=True, metavar="CODE", help="Leave out findings of this code; repeatable.")
@output_option("table", "json", "yaml")
@mesh_options
def command(
    paths: tuple[str, ...],
    arguments: tuple[str, ...],
    namespace: str | None,
    suppress: tuple[str, ...],
    output: str | None,
) -> int:
    """Check each object of the files by itself, without a mesh; exit 3 when one has an error.

    What it cannot see, such as a route to a subset that no rule defines, is told when the objects are applied.
    """
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.findings import has_error, line_of
    from mizzen.cli.output import emit, note, to_json, to_yaml

    wanted = [*paths, *arguments]
    if not wanted:
        raise Failure("say what to validate: -f PATH", code=Exit.USAGE)
    by_path = {path: [f for f in findings_of(path, namespace) if f["code"] not in suppress] for path in wanted}
    everything = [finding for findings in by_path.values() for finding in findings]
    if output in ("json", "yaml"):
        emit(to_json(everything) if output == "json" else to_yaml(everything))
    else:
        for finding in everything:
            note(line_of(finding))
        for path, findings in by_path.items():
            emit(verdict(path, findings))
    return Exit.CHECK_FAILED if has_error(everything) else Exit.DONE


def verdict(path: str, findings: list[Json]) -> str:
    """The line of one path on stdout; nothing when it has errors, which are on stderr."""
    if any(finding["level"] == "Error" for finding in findings):
        return ""
    if path == "-":
        return "validation succeed"
    return f'"{path}" has warnings' if findings else f'"{path}" is valid'


def findings_of(path: str, namespace: str | None) -> list[Json]:
    """What is wrong with the objects of one file or directory: with the text, the types, and the meaning."""
    from mizzen.cli import documents
    from mizzen.cli.findings import as_json
    from mizzen.sources import config, files

    loaded = files.load([path])
    placed = [
        files.Document(documents.placed(d.raw, namespace), d.origin, d.node, d.offset)
        for d in loaded.documents
        if isinstance(d.raw, dict)
    ]
    found = [as_json(finding) for finding in (*loaded.findings, *config.config_of(placed).findings)]
    return sorted(found, key=lambda finding: (finding["file"], finding["line"]))
