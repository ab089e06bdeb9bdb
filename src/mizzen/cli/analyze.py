"""``mizzen analyze [PATH…]`` (rows IX-06, IA-01 to IA-06): how the objects of a mesh, or of files, fit together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.options import (
    Function,
    all_namespaces_option,
    files_option,
    mesh_options,
    namespace_option,
    output_option,
)

if TYPE_CHECKING:
    from mizzen.analyze.suppression import Suppression
    from mizzen.cli.analysis import Request, Result

_Levels = click.Choice(("Info", "Warning", "Error"), case_sensitive=False)


_SWITCHES = {"-k": "--use-kube", "-R": "--recursive", "-v": "--verbose"}
"""Short names of flags that also take a value."""
_LONG_SWITCHES = (*_SWITCHES.values(), "--ignore-unknown", "--color")


def _switch(*names: str, text: str, default: str | None = None) -> Callable[[Function], Function]:
    """A flag that also takes ``=true`` and ``=false``."""
    return click.option(*names, type=bool, default=default, help=text, metavar="[=true|false]")


class _Command(click.Command):
    """Flags as istioctl has them: alone they are true, and a value comes only after ``=``, never as the next word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_spelled_out(word) for word in args])


def _spelled_out(word: str) -> str:
    name, equals, value = word.partition("=")
    name = _SWITCHES.get(name, name)
    return f"{name}={value if equals else 'true'}" if name in _LONG_SWITCHES else word


@click.command("analyze", cls=_Command)
@click.argument("arguments", nargs=-1, metavar="[PATH…]")
@files_option(text="Analyse files without a mesh; repeatable. A PATH without -f is laid over the running mesh.")
@namespace_option
@all_namespaces_option
@output_option("log", "json", "yaml", default="log")
@_switch("-k", "--use-kube", "use_kube", text="Analyse the objects of the running mesh, too (without -f: true).")
@click.option("-S", "--suppress", multiple=True, metavar="CODE=Kind ns/name", help="Leave out findings; * is any text.")
@click.option(
    "--failure-threshold", type=_Levels, default="Error", show_default=True, help="Exit 3 from this level on."
)
@click.option("--output-threshold", type=_Levels, default="Info", show_default=True, help="Show from this level on.")
@click.option("--analyzer", "names", multiple=True, metavar="NAME", help="Run only this analyzer; repeatable.")
@click.option("-L", "--list-analyzers", is_flag=True, help="Print the analyzers and end.")
@click.option("--meshConfigFile", "mesh_file", default="", metavar="FILE", help="Mesh config over that of the mesh.")
@click.option("-r", "--revision", default="", metavar="REV", help="Only what the control plane of this revision reads.")
@click.option("--remote-contexts", multiple=True, metavar="NAME", help="Accepted; a mesh has one cluster here.")
@click.option("--timeout", metavar="DURATION", help="Accepted for istioctl's sake; no effect.")
@_switch("-R", "--recursive", "recursive", text="Accepted; directories are always read recursively.")
@_switch("--ignore-unknown", "ignore_unknown", text="Pass over files that cannot be read.", default="false")
@_switch("--color", "color", text="Colours (default: on a terminal).")
@_switch("-v", "--verbose", "verbose", text="Tell what was analysed, skipped and run.", default="false")
@mesh_options
def command(**given: Any) -> int:
    """Check how the objects of the running mesh, and files laid over it, fit together.

    Findings are Istio's messages (IST0101 and so on) about one namespace, or with -A about all. Exit 3 when one
    reaches --failure-threshold, or a file cannot be read.
    """
    from mizzen.analyze import ANALYZERS
    from mizzen.cli.analysis import run
    from mizzen.cli.failure import Exit
    from mizzen.cli.output import emit

    if given["list_analyzers"]:
        emit("\n".join(f"* {name}:\n    {analyzer.about}" for name, analyzer in ANALYZERS.items()))
        return Exit.DONE
    request = _request(given)
    _say_before(given, request)
    result = run(request)
    return _show(given, request, result)


def _request(given: dict[str, Any]) -> Request:
    from mizzen.analyze import chosen
    from mizzen.cli.analysis import Request
    from mizzen.cli.failure import Exit, Failure

    paths, live = (*given["paths"], *given["arguments"]), given["use_kube"]
    if live is None and given["paths"]:
        live = False
    if live is False and not paths:
        raise Failure("nothing to analyse: name files", hint="mizzen analyze -f PATH", code=Exit.USAGE)
    return Request(
        paths=paths,
        live=live,
        namespace=None if given["all_namespaces"] else given["namespace"] or "default",
        revision=given["revision"],
        mesh_file=given["mesh_file"],
        analyzers=chosen(given["names"]),
        suppressions=_suppressions(given["suppress"]),
    )


def _suppressions(written: tuple[str, ...]) -> list[Suppression]:
    from mizzen.analyze.suppression import Suppression
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.output import note

    found = []
    for text in written:
        try:
            found.append(Suppression.parse(text))
        except ValueError as error:
            raise Failure(str(error), code=Exit.USAGE) from None
        if not found[-1].known:
            note(f"Warning: {found[-1].code} is no code of a finding, so it suppresses nothing")
    return found


def _say_before(given: dict[str, Any], request: Request) -> None:
    """What was accepted and changes nothing."""
    from mizzen.cli.analysis import passed_over
    from mizzen.cli.output import note

    if given["recursive"] is not None:
        note("Note: -R changes nothing: directories are always read recursively")
    if given["remote_contexts"]:
        note("Warning: --remote-contexts has no effect: a mesh has one cluster here")
    for file in passed_over(request.paths):
        note(f"Note: {file} is not read: its name does not end in .yaml, .yml or .json")


def _show(given: dict[str, Any], request: Request, result: Result) -> int:
    from mizzen.cli.analysis import as_documents, line_of, reaches
    from mizzen.cli.failure import Exit
    from mizzen.cli.output import emit, note, to_json, to_yaml

    unreadable = () if given["ignore_unknown"] else result.unreadable
    for finding in unreadable:
        note(str(finding))
    shown = [finding for finding in result.findings if reaches(finding, given["output_threshold"])]
    if given["output"] == "log":
        color = _wants_color() if given["color"] is None else given["color"]
        emit("\n".join(line_of(finding, color) for finding in shown))
    else:
        emit((to_json if given["output"] == "json" else to_yaml)(as_documents(shown)))
    if given["verbose"]:
        _tell(request, result)
    scope = f"namespace: {request.namespace}" if request.namespace is not None else "all namespaces"
    if not shown and not unreadable:
        note(f"✔ No validation issues found when analyzing {scope}.")
    failed = any(reaches(finding, given["failure_threshold"]) for finding in result.findings)
    return Exit.CHECK_FAILED if failed or unreadable else Exit.DONE


def _wants_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _tell(request: Request, result: Result) -> None:
    from mizzen.cli.output import note

    estate = result.read.estate
    note("Analysed:")
    for kind in sorted(estate.kinds):
        for subject in estate.of(kind):
            note(f"  {kind} {subject.full_name}")
    note("Skipped:")
    for skipped in result.read.skipped:
        note(f"  {skipped.name}: {skipped.reason}")
    note("Analyzers:")
    for analyzer in request.analyzers:
        note(f"  {analyzer.name}")
