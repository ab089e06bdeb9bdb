"""``proxy-config all`` (row IX-15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig import clusters, endpoints, listeners, routes, secrets
from mizzen.cli.proxyconfig.bootstrap import summary
from mizzen.cli.proxyconfig.dump import Dump
from mizzen.cli.proxyconfig.source import Proxy, proxy_of, proxy_options, show


def _table(
    kind: str, header: Sequence[str], rows: Sequence[tuple[str, ...]], headers: bool, gap: int = 5, column: int = 0
) -> str:
    """One table, the cell in ``column`` prefixed with ``kind/``."""
    from mizzen.cli.output import table

    named = [tuple(f"{kind}/{cell}" if i == column else cell for i, cell in enumerate(cells)) for cells in rows]
    return table(header, named, headers, gap)


def tables(dump: Dump, proxy: Proxy, headers: bool) -> list[str]:
    """Bootstrap, clusters, listeners, routes, secrets and endpoints, as the commands of these names print them."""
    parts = [summary(dump.bootstrap())] if dump.bootstrap() else []
    parts.append(
        _table("cluster", clusters.HEADER, [clusters.row(c) for c in clusters.select(dump, "", "", "", None)], headers)
    )
    found = listeners.select(dump, "", None, "")
    parts.append(_table("listener", listeners.HEADER, listeners.rows(found, True), headers, 1))
    parts.append(_table("route", routes.HEADER, routes.rows(routes.select(dump, ""), True), headers))
    header, cells = secrets.rows(dump.secrets(), datetime.now(UTC))
    parts.append(_table("secret", header, cells, headers) if cells else secrets.NOTHING)
    statuses = proxy.clusters().get("cluster_statuses") or []
    parts.append(_table("endpoint", endpoints.HEADER, endpoints.rows(statuses), headers))
    return parts


@click.command("all")
@proxy_options
@output_option("json", "yaml", "short")
@click.option(
    "--with-headers",
    type=bool,
    default=True,
    is_flag=False,
    flag_value="true",
    help="The line of headers of each table (default: true).",
)
def command(
    proxy: str | None, namespace: str | None, paths: tuple[str, ...], output: str | None, with_headers: bool
) -> None:
    """Every table in turn; as JSON the whole config dump."""
    source = proxy_of(proxy, namespace, paths)
    dump = source.dump(endpoints=True)
    show(dump.raw, output, lambda: "\n\n".join(filter(None, tables(dump, source, with_headers))))
