"""``proxy-config endpoints`` (row IX-13)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import output_option
from mizzen.cli.proxyconfig.source import proxy_of, proxy_options, show

Json = dict[str, Any]

HEADER = ("ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER")


def address_of(host: Json) -> tuple[str, int]:
    """(address, port) of one host status; a pipe's or an internal listener's name with port 0."""
    address = host.get("address") or {}
    if "socket_address" in address:
        socket = address["socket_address"]
        return str(socket.get("address", "")), int(socket.get("port_value", 0))
    if "pipe" in address:
        return f"unix://{address['pipe'].get('path', '')}", 0
    internal = address.get("envoy_internal_address") or {}
    return f"envoy://{internal.get('server_listener_name', '')}/{internal.get('endpoint_id', '')}", 0


def row(cluster: str, host: Json) -> tuple[str, ...]:
    address, port = address_of(host)
    health = host.get("health_status") or {}
    place = f"[{address}]" if ":" in address and port else address
    return (
        f"{place}:{port}" if port else place,
        str(health.get("eds_health_status", "UNKNOWN")),
        "FAILED" if health.get("failed_outlier_check") else "OK",
        cluster,
    )


def select(statuses: list[Json], address: str, port: int | None, cluster: str, status: str) -> list[Json]:
    """The cluster statuses with the hosts that pass the filters: whole values, whatever the case."""

    def wanted(host: Json) -> bool:
        own, own_port = address_of(host)
        health = str((host.get("health_status") or {}).get("eds_health_status", "UNKNOWN"))
        return (
            (not address or own.lower() == address.lower())
            and (port is None or own_port == port)
            and (not status or health.lower() == status.lower())
        )

    found = []
    for entry in statuses:
        if cluster and str(entry.get("name", "")).lower() != cluster.lower():
            continue
        hosts = [host for host in entry.get("host_statuses") or [] if wanted(host)]
        if hosts:
            found.append({**entry, "host_statuses": hosts})
    return found


def rows(statuses: list[Json]) -> list[tuple[str, ...]]:
    """One row per host and cluster, by address, port and cluster."""
    hosts = [
        (address_of(host), str(entry.get("name", "")), host)
        for entry in statuses
        for host in entry.get("host_statuses") or []
    ]
    return [row(cluster, host) for _, cluster, host in sorted(hosts, key=lambda item: item[:2])]


@click.command("endpoints")
@proxy_options
@output_option("json", "yaml", "short")
@click.option("--address", default="", help="Only endpoints at this address.")
@click.option("--port", type=int, help="Only endpoints at this port.")
@click.option("--cluster", default="", help="Only endpoints of this cluster.")
@click.option("--status", default="", help="Only endpoints of this health.")
def command(
    proxy: str | None,
    namespace: str | None,
    paths: tuple[str, ...],
    output: str | None,
    address: str,
    port: int | None,
    cluster: str,
    status: str,
) -> None:
    """The addresses behind the clusters, and their health."""
    from mizzen.cli.output import table

    statuses = proxy_of(proxy, namespace, paths).clusters().get("cluster_statuses") or []
    found = select(statuses, address, port, cluster, status)
    show(found, output, lambda: table(HEADER, rows(found), gap=5))
