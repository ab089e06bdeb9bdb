"""``proxy-config bootstrap`` (row IX-15)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig.source import proxy_of, proxy_options, show

Json = dict[str, Any]


def summary(bootstrap: Json) -> str:
    """The three versions of ``-o short``."""
    node = (bootstrap.get("bootstrap") or {}).get("node") or {}
    metadata = node.get("metadata") or {}
    build = (node.get("user_agent_build_version") or {}).get("version") or {}
    envoy = (
        ".".join(str(build.get(key, 0)) for key in ("major_number", "minor_number", "patch")) if build else "unknown"
    )
    return "\n".join(
        (
            f"Istio Version:       {metadata.get('ISTIO_VERSION', 'unknown')}",
            f"Istio Proxy Version: {metadata.get('ISTIO_PROXY_VERSION') or metadata.get('ISTIO_PROXY_SHA') or metadata.get('ISTIO_VERSION', 'unknown')}",
            f"Envoy Version:       {envoy}",
        )
    )


@click.command("bootstrap")
@proxy_options
@output_option("json", "yaml", "short", default="json")
def command(proxy: str | None, namespace: str | None, paths: tuple[str, ...], output: str | None) -> None:
    """What the proxy was started with."""
    from mizzen.cli.failure import Failure

    found = proxy_of(proxy, namespace, paths).dump().bootstrap()
    if not found:
        raise Failure(
            "there is no bootstrap here: an agent writes it when it starts", hint="ask a running proxy, without -f"
        )
    show(found, output, lambda: summary(found))
