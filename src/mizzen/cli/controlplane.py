"""``mizzen controlplane``: run the control plane. The supervisor starts it; nobody else needs to."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path)


@click.command("controlplane", hidden=True)
@click.option("--socket", type=_FILE, required=True, help="The supervisor's socket.")
@click.option("--state", type=_FILE, required=True, help="Directory of the CA key.")
@click.option("--debug-socket", type=_FILE, required=True, help="Where the debug API listens.")
@click.option("--token-jwks", type=_FILE, required=True, help="Public keys of service-account tokens.")
@click.option("--address", default="", help="The address under which pods reach the control plane.")
@click.option("--pod-name", default="istiod", help="Name of the control plane's pod.")
def command(socket: Path, state: Path, debug_socket: Path, token_jwks: Path, address: str, pod_name: str) -> None:
    """Run the control plane until SIGTERM."""
    from mizzen import controlplane
    from mizzen.errors import MeshError

    try:
        controlplane.run(
            controlplane.Options(
                socket=socket,
                state=state,
                debug_socket=debug_socket,
                token_jwks=token_jwks,
                address=address,
                pod_name=pod_name,
            )
        )
    except MeshError as error:
        raise click.ClickException(str(error)) from error
