"""``mizzen controlplane``: run the control plane. The supervisor starts it; nobody else needs to."""

from __future__ import annotations

from pathlib import Path

import click

from mizzen.cli.options import Seconds

_FILE = click.Path(path_type=Path)


@click.command("controlplane", hidden=True)
@click.option("--socket", type=_FILE, required=True, help="The supervisor's socket.")
@click.option("--state", type=_FILE, required=True, help="Directory of the CA key.")
@click.option("--debug-socket", type=_FILE, required=True, help="Where the debug API listens.")
@click.option("--token-jwks", type=_FILE, required=True, help="Public keys of service-account tokens.")
@click.option("--address", default="", help="The address under which pods reach the control plane.")
@click.option("--pod-name", default="istiod", help="Name of the control plane's pod.")
@click.option(
    "--authorization-mode",
    type=click.Choice(("AlwaysAllow", "RBAC")),
    default="AlwaysAllow",
    help="How the API server of these objects decides who may list Secrets.",
)
@click.option(
    "--keepaliveMaxServerConnectionAge",
    "connection_age",
    type=Seconds(),
    default="0s",
    help="After how long a proxy's stream is ended, so that it may go to another replica (default: never).",
)
@click.option("--tls-cert-file", type=_FILE, help="Certificate chain to serve with, PEM; else the CA signs one.")
@click.option("--tls-key-file", type=_FILE, help="Its key, PEM.")
def command(
    socket: Path,
    state: Path,
    debug_socket: Path,
    token_jwks: Path,
    address: str,
    pod_name: str,
    authorization_mode: str,
    connection_age: float,
    tls_cert_file: Path | None,
    tls_key_file: Path | None,
) -> None:
    """Run the control plane until SIGTERM."""
    from mizzen import controlplane
    from mizzen.errors import MeshError
    from mizzen.model.access import AuthorizationMode

    if (tls_cert_file is None) != (tls_key_file is None):
        raise click.UsageError("--tls-cert-file and --tls-key-file go together")
    try:
        controlplane.run(
            controlplane.Options(
                socket=socket,
                state=state,
                debug_socket=debug_socket,
                token_jwks=token_jwks,
                address=address,
                pod_name=pod_name,
                connection_age=connection_age,
                authorization=AuthorizationMode(authorization_mode),
                certificate=(tls_cert_file, tls_key_file) if tls_cert_file and tls_key_file else None,
            )
        )
    except MeshError as error:
        raise click.ClickException(str(error)) from error
