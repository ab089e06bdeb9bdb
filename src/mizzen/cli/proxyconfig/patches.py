"""``proxy-config patches``: what became of each EnvoyFilter patch at a proxy (rows EF-01, EF-17). Not one of Istio's tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from mizzen.cli.options import mesh_options, namespace_option, output_option
from mizzen.cli.proxyconfig.source import show

Json = dict[str, Any]

HEADER = ("ENVOYFILTER", "PATCH", "APPLY TO", "STATUS", "REASON")
NOTHING = "No EnvoyFilter has a patch for this proxy."


def rows(outcomes: Iterable[Json]) -> list[tuple[str, ...]]:
    """One row for each patch, in the order in which they are applied."""
    return [
        (
            f"{outcome['name']}.{outcome['namespace']}",
            f"configPatches[{outcome['index']}]",
            str(outcome["apply_to"]),
            str(outcome["status"]),
            str(outcome["reason"]),
        )
        for outcome in outcomes
    ]


def of_pod(answer: Json, namespace: str, pod: str) -> list[Json]:
    """The outcomes of the proxy in this pod, from the control plane's answer for all proxies; none if it is not connected."""
    place = f"~{pod}.{namespace}~"
    return next((list(outcomes) for node, outcomes in answer.items() if place in node), [])


@click.command("patches")
@mesh_options
@namespace_option
@click.argument("proxy", metavar="[TYPE/]NAME[.NAMESPACE]")
@output_option("json", "yaml", "short")
def command(proxy: str, namespace: str | None, output: str | None) -> None:
    """What became of each EnvoyFilter patch: applied, matched nothing, or refused and why."""
    from mizzen.cli import targets
    from mizzen.cli.connection import control_plane, finder, lab
    from mizzen.cli.output import table

    space, pod = targets.identify(targets.proxied_pods_of(proxy, namespace, finder(lab()))[0])
    outcomes = of_pod(control_plane().patches(), space, pod)

    def text() -> str:
        cells = rows(outcomes)
        return table(HEADER, cells, gap=3) if cells else NOTHING

    show(outcomes, output, text)
