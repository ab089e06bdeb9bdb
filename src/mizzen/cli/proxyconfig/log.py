"""``proxy-config log`` (row IX-15): Envoy's log levels, shown and set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

import click

from mizzen.cli.options import mesh_options, namespace_option

LEVELS = ("trace", "debug", "info", "warning", "warn", "error", "critical", "off", "none")
RESET_LEVEL = "warning"


def queries(level: str) -> list[str]:
    """The requests to Envoy's ``/logging`` that set ``level``: a bare level, or ``scope:level,…`` (``=`` works too).

    Raises ValueError naming the part that is wrong.
    """
    bare: list[str] = []
    scopes: dict[str, str] = {}
    for term in filter(None, level.split(",")):
        scope, sign, value = term.rpartition(":") if ":" in term else term.rpartition("=")
        if value not in LEVELS:
            raise ValueError(f"{value!r} is no level: {', '.join(LEVELS)}")
        value = {"none": "off", "warn": "warning"}.get(value, value)
        if sign and not re.fullmatch(r"[a-z0-9_]+", scope):
            raise ValueError(f"{scope!r} is no scope")
        if sign:
            scopes[scope] = value
        else:
            bare.append(value)
    if len(bare) > 1:
        raise ValueError("only one level for all scopes can be given")
    return [urlencode({"level": value}) for value in bare] + [
        urlencode({scope: value}) for scope, value in scopes.items()
    ]


@click.command("log")
@click.argument("proxies", nargs=-1, metavar="[TYPE/]NAME[.NAMESPACE]…")
@namespace_option
@click.option("--level", default="", help="A level for all scopes, or scope:level,…")
@click.option("-r", "--reset", is_flag=True, help="Set every scope back to warning.")
@click.option("-l", "--selector", default="", metavar="K=V,…", help="Every pod with these labels.")
@mesh_options
def command(proxies: tuple[str, ...], namespace: str | None, level: str, reset: bool, selector: str) -> None:
    """Show or set the proxy's log levels; a Deployment means each of its pods."""
    from mizzen.cli import targets
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.output import emit

    if level and reset:
        raise Failure("give either --level or --reset", code=Exit.USAGE)
    if bool(proxies) == bool(selector):
        raise Failure("name a proxy, or select some with -l", code=Exit.USAGE)
    try:
        changes = [urlencode({"level": RESET_LEVEL})] if reset else queries(level)
    except ValueError as error:
        raise Failure(str(error), code=Exit.USAGE) from None
    client = lab()
    for pod in _pods(proxies, selector, namespace):
        space, name = targets.identify(pod)
        answer = b""
        for change in changes:
            answer = client.envoy(space, name, f"/logging?{change}", "POST")
        if not changes:
            answer = client.envoy(space, name, "/logging", "POST")
        emit(f"{name}.{space}:\n{answer.decode().rstrip()}\n")


def _pods(proxies: Sequence[str], selector: str, namespace: str | None) -> list[dict[str, object]]:
    from mizzen.cli import targets
    from mizzen.cli.connection import finder, lab
    from mizzen.cli.get import parse_selector, selects

    find = finder(lab())
    if selector:
        labels = parse_selector(selector)
        return [pod for pod in find("Pod", namespace or "default", "") if selects(labels, pod)]
    return [pod for word in proxies for pod in targets.proxied_pods_of(word, namespace, find)]
