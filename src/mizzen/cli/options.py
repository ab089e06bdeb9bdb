"""The options that many commands share, with kubectl's names and meaning."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

_MESH = "mizzen.mesh"
_MESH_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _remember_mesh(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    # It becomes part of paths and of network names.
    if not _MESH_NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a name of lower-case letters, digits and dashes (at most 32)")
    ctx.meta[_MESH] = value


def _warn_context(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        print(f"Warning: --context {value} has no effect: there is no Kubernetes mode yet", file=sys.stderr)


def mesh_options(function: Function) -> Function:
    """``--mesh`` and ``--context``, both before and after the verb."""
    function = click.option(
        "--context",
        expose_value=False,
        metavar="NAME",
        callback=_warn_context,
        help="Accepted for kubectl's sake; no effect yet.",
    )(function)
    return click.option(
        "--mesh",
        expose_value=False,
        metavar="NAME",
        callback=_remember_mesh,
        help="The mesh to command (default: default).",
    )(function)


def mesh_name() -> str:
    """The mesh that this command is about."""
    return str(click.get_current_context().meta.get(_MESH, "default"))


def state_directory(mesh: str) -> Path:
    """``$MIZZEN_STATE/MESH``, or ``/var/lib/mizzen/MESH``."""
    return Path(os.environ.get("MIZZEN_STATE") or "/var/lib/mizzen") / mesh


namespace_option = click.option("-n", "--namespace", metavar="NS", help="The namespace (default: default).")
all_namespaces_option = click.option("-A", "--all-namespaces", is_flag=True, help="Every namespace.")


def files_option(
    required: bool = False, text: str = "A file, a directory, or - for stdin; repeatable."
) -> Callable[[Function], Function]:
    """``-f PATH``, repeatable."""
    return click.option("-f", "--filename", "paths", multiple=True, metavar="PATH", required=required, help=text)


def output_option(*formats: str, default: str = "") -> Callable[[Function], Function]:
    """``-o FORMAT``."""
    return click.option(
        "-o", "--output", type=click.Choice(formats), default=default or None, help="The format of the output."
    )


class Seconds(click.ParamType[float]):
    """A duration as kubectl takes it: ``30s``, ``1m30s``, ``500ms``, or a bare number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value)
        if not re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h))+", value):
            self.fail(f"{value!r} is not a duration such as 30s or 1m30s", param, ctx)
        return sum(float(number) * _UNITS[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)(ms|s|m|h)", value))


def timeout_option(default: str) -> Callable[[Function], Function]:
    """``--timeout``, in seconds for the command."""
    return click.option("--timeout", type=Seconds(), default=default, show_default=True, help="How long to wait.")


wait_option = click.option(
    "--wait", is_flag=True, help="Return when every proxy concerned has acknowledged the change."
)
dry_run_option = click.option(
    "--dry-run",
    type=click.Choice(["none", "client", "server"]),
    is_flag=False,
    flag_value="server",
    default="none",
    help="Tell what would happen and change nothing.",
)
