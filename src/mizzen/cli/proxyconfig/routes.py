"""``proxy-config routes`` (row IX-12)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig.dump import Dump, management
from mizzen.cli.proxyconfig.listeners import path_text
from mizzen.cli.proxyconfig.source import proxy_of, proxy_options, show

Json = dict[str, Any]

HEADER = ("NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE")
HEADER_BRIEF = ("NAME", "VIRTUAL HOSTS")

_SHOWN_DOMAINS = 2


def domains_text(domains: list[str]) -> str:
    """The first domains without port, and without the longer spellings of one that is shown; a count of the rest."""
    if len(domains) == 1:
        return domains[0]
    names = [domain for domain in domains if ":" not in domain]
    short = set(names)
    kept = [
        name
        for name in names
        if not any(name.endswith(tail) and name[: -len(tail)] in short for tail in (".svc.cluster.local", ".svc"))
    ]
    rest = len(kept) - _SHOWN_DOMAINS
    return ", ".join(kept[:_SHOWN_DOMAINS]) + (f" + {rest} more..." if rest > 0 else "")


def select(dump: Dump, name: str) -> list[Json]:
    found = [config for config in dump.routes() if not name or config.get("name", "") == name]
    return sorted(found, key=lambda config: str(config.get("name", "")))


def rows(configs: list[Json], verbose: bool) -> list[tuple[str, ...]]:
    """One row per route; passthrough routes are left out, and a virtual host without routes answers 404."""
    if not verbose:
        return [(str(config.get("name", "")), str(len(config.get("virtual_hosts") or []))) for config in configs]
    result: list[tuple[str, ...]] = []
    for config in configs:
        for host in config.get("virtual_hosts") or []:
            head = (str(config.get("name", "")), str(host.get("name", "")), domains_text(host.get("domains") or []))
            for route in host.get("routes") or []:
                if (route.get("route") or {}).get("cluster") != "PassthroughCluster":
                    result.append((*head, path_text(route.get("match") or {}), management(route.get("metadata"))))
            if not host.get("routes"):
                result.append((*head, "/*", "404"))
    return result


@click.command("routes")
@proxy_options
@output_option("json", "yaml", "short")
@click.option("--name", default="", help="Only the route table of this name.")
@click.option("--verbose", type=bool, default=True, help="One row per route (default), or one per route table.")
def command(
    proxy: str | None, namespace: str | None, paths: tuple[str, ...], output: str | None, name: str, verbose: bool
) -> None:
    """How the proxy chooses a cluster for a request."""
    from mizzen.cli.output import table

    found = select(proxy_of(proxy, namespace, paths).dump(), name)
    show(found, output, lambda: table(HEADER if verbose else HEADER_BRIEF, rows(found, verbose), gap=5))
