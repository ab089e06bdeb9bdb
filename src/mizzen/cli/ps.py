"""``mizzen ps``."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import mesh_options, namespace_option, output_option

Json = dict[str, Any]

POD_HEADER = ("NAMESPACE", "NAME", "READY", "PHASE", "RESTARTS", "IP", "IDENTITY", "CERT EXPIRES")


@click.command("ps")
@namespace_option
@output_option("table", "wide", "json", "yaml")
@mesh_options
def command(namespace: str | None, output: str | None) -> None:
    """List the pods of the mesh, its gateways and its control plane."""
    from mizzen.cli.connection import lab
    from mizzen.cli.output import emit, table, to_json, to_yaml

    status = lab().status()
    if namespace:
        status["pods"] = [pod for pod in status["pods"] if pod["namespace"] == namespace]
    if output in ("json", "yaml"):
        emit(to_json(status) if output == "json" else to_yaml(status))
        return
    emit(table(POD_HEADER, [pod_row(pod) for pod in status["pods"]]))
    emit("")
    for line in summary(status):
        emit(line)


def pod_row(pod: Json) -> tuple[str, ...]:
    containers = pod.get("containers") or {}
    ready = f"{containers['ready']}/{containers['total']}" if "total" in containers else pod["ready"]
    return (
        str(pod["namespace"]),
        str(pod["name"]),
        ("yes" if ready else "no") if isinstance(ready, bool) else str(ready),
        str(pod["phase"]),
        str(pod["restarts"]),
        str(pod.get("ip") or "-"),
        str(pod.get("identity") or "-"),
        str(pod.get("cert_expires") or "-"),
    )


def summary(status: Json) -> list[str]:
    """The mesh, its control plane and where each gateway is reached."""
    plane = status.get("controlplane") or {}
    state = "ready" if plane.get("ready") else "not ready"
    lines = [
        f"mesh {status['mesh']}: control plane {state} (process {plane.get('pid') or 'none'}), state in {status['state']}"
    ]
    for gateway in status.get("gateways") or []:
        local = ", ".join(f"127.0.0.1:{host} -> {port}" for port, host in (gateway.get("localhost") or {}).items())
        ports = ", ".join(str(port) for port in gateway.get("ports") or [])
        lines.append(
            f"gateway {gateway['name']}: {gateway.get('ip') or '-'} ports {ports}{'; ' + local if local else ''}"
        )
    return lines
