"""``proxy-config ecds``: extension configurations that the proxy fetched by name (rows IX-15, EF-07)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig.source import proxy_of, proxy_options, show

Json = dict[str, Any]

HEADER = ("ECDS NAME", "TYPE")
NOTHING = "No extension configurations found."


def rows(part: Json) -> list[tuple[str, str]]:
    """Name and type of each configuration of an EcdsConfigDump, by name."""
    found = [entry.get("ecds_filter") or {} for entry in part.get("ecds_filters") or []]
    return sorted((str(c.get("name", "")), str((c.get("typed_config") or {}).get("@type", ""))) for c in found)


@click.command("ecds")
@proxy_options
@output_option("json", "yaml", "short")
def command(proxy: str | None, namespace: str | None, paths: tuple[str, ...], output: str | None) -> None:
    """Extension configurations that the proxy fetched by name."""
    from mizzen.cli.output import table

    part = proxy_of(proxy, namespace, paths).dump().part("EcdsConfigDump")

    def text() -> str:
        cells = rows(part)
        return table(HEADER, cells, gap=5) if cells else NOTHING

    show(part, output, text)
