"""``mizzen version`` (row IX-01)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from mizzen.cli.options import mesh_options, output_option

Json = dict[str, Any]


@click.command("version")
@click.option("-s", "--short", is_flag=True, help="Accepted for istioctl's sake: the output is always short.")
@click.option(
    "--remote", type=bool, default=True, is_flag=False, flag_value="true", help="Ask the mesh too (default: true)."
)
@click.option("--client", is_flag=True, help="The client's version alone; do not ask the mesh.")
@output_option("json", "yaml")
@mesh_options
def command(short: bool, remote: bool, client: bool, output: str | None) -> None:
    """Print the versions of client, control plane and data plane."""
    from mizzen import ENVOY_VERSION, VERSION
    from mizzen.cli.output import emit, note, to_json, to_yaml

    document: Json = {"clientVersion": {"version": VERSION, "envoy": ENVOY_VERSION}}
    lines = [f"client version: {VERSION}"]
    if remote and not client:
        plane, proxies, problem = _remote()
        if problem:
            note(problem)
        else:
            document["meshVersion"] = [{"Component": "istiod", "Info": {"version": plane}}]
            document["dataPlaneVersion"] = [
                {"IstioVersion": version, "count": count} for version, count in sorted(proxies.items())
            ]
            words = ", ".join(
                f"{version} ({count} {'proxy' if count == 1 else 'proxies'})"
                for version, count in sorted(proxies.items())
            )
            lines += [f"control plane version: {plane}", f"data plane version: {words or 'none'}"]
    if output:
        emit(to_json(document) if output == "json" else to_yaml(document))
    else:
        emit("\n".join(lines))


def _remote() -> tuple[str, Counter[str], str]:
    """(version of the control plane, proxies by version, problem)."""
    from mizzen.cli.connection import control_plane
    from mizzen.errors import LabError
    from mizzen.lab.client import NeedsRoot

    plane = control_plane()
    try:
        answer = plane.version()
        proxies = Counter(str(entry.get("version") or "unknown") for entry in plane.syncz())
    except NeedsRoot as error:
        return "", Counter(), f"control plane: {error}"
    except LabError:
        return "", Counter(), "there is no control plane running"
    return answer.rsplit("-", 2)[0], proxies, ""
