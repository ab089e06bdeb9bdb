"""``proxy-config clusters`` (row IX-10)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig.dump import Dump, management
from mizzen.cli.proxyconfig.source import proxy_of, proxy_options, show

Json = dict[str, Any]

HEADER = ("SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE")


def parts(name: str) -> tuple[str, str, str, str] | None:
    """(direction, port, subset, host) of ``outbound|9080|v1|reviews.default.svc.cluster.local``; None for other names."""
    pieces = name.split("|")
    return (pieces[0], pieces[1], pieces[2], pieces[3]) if len(pieces) == 4 else None


def select(dump: Dump, fqdn: str, direction: str, subset: str, port: int | None) -> list[Json]:
    """The clusters that pass the filters (substrings, and the port), in the order of the table."""

    def wanted(cluster: Json) -> bool:
        if not (fqdn or direction or subset or port):
            return True
        own = parts(cluster["name"]) or ("", "", "", cluster["name"])
        return fqdn in own[3] and direction in own[0] and subset in own[2] and (port is None or own[1] == str(port))

    return sorted((cluster for cluster in dump.clusters() if wanted(cluster)), key=_order)


def _order(cluster: Json) -> tuple[str, str, int, str]:
    own = parts(cluster["name"])
    if own is None:
        return (cluster["name"], "", 0, "")
    return (own[3], own[2], int(own[1]) if own[1].isdigit() else 0, own[0])


def row(cluster: Json) -> tuple[str, ...]:
    own = parts(cluster["name"])
    kind = str(cluster.get("type") or (cluster.get("cluster_type") or {}).get("name") or "STATIC")
    rule = management(cluster.get("metadata"))
    if own is None:
        return (cluster["name"], "-", "-", "-", kind, rule)
    return (own[3], own[1] or "-", own[2] or "-", own[0], kind, rule)


@click.command("clusters")
@proxy_options
@output_option("json", "yaml", "short")
@click.option("--fqdn", default="", help="Only clusters whose host contains this.")
@click.option("--direction", default="", help="Only clusters of this direction.")
@click.option("--subset", default="", help="Only clusters whose subset contains this.")
@click.option("--port", type=int, help="Only clusters of this service port.")
def command(
    proxy: str | None,
    namespace: str | None,
    paths: tuple[str, ...],
    output: str | None,
    fqdn: str,
    direction: str,
    subset: str,
    port: int | None,
) -> None:
    """Where the proxy can send requests."""
    from mizzen.cli.output import table

    clusters = select(proxy_of(proxy, namespace, paths).dump(), fqdn, direction, subset, port)
    show(clusters, output, lambda: table(HEADER, [row(cluster) for cluster in clusters], gap=5))
