"""``mizzen create-remote-secret`` (rows IX-21, MCL-01)."""

from __future__ import annotations

from typing import Any

import click

from mizzen.cli.options import mesh_name, mesh_options, state_directory

Json = dict[str, Any]
_NAME = "istio-remote-secret-{}"


@click.command("create-remote-secret")
@click.option("--name", default="", help="The cluster's id (default: the UID of its namespace kube-system).")
@click.option(
    "--type", "kind", type=click.Choice(["remote", "config"]), default="remote", help="Only remote is served."
)
@click.option(
    "--auth-type", type=click.Choice(["bearer-token", "plugin"]), default="bearer-token", help="Plugins are refused."
)
@click.option("--server", default="", help="Where the mesh is read (default: its socket on this machine).")
@click.option("--secret-name", default="", help="No effect: the socket asks for no token.")
@click.option("--service-account", default="", help="No effect: the socket asks for no token.")
@click.option(
    "--create-service-account", type=bool, default=True, help="No effect: the socket asks for no token.", hidden=True
)
@mesh_options
def command(
    name: str,
    kind: str,
    auth_type: str,
    server: str,
    secret_name: str,
    service_account: str,
    create_service_account: bool,
) -> None:
    """Print the Secret by which another mesh's control plane reads this one.

    Apply it there: `mizzen create-remote-secret --mesh b --name b | mizzen apply --mesh a -f -`.
    """
    from mizzen.cli.failure import Exit, Failure
    from mizzen.cli.output import emit, note, to_yaml

    if kind == "config":
        raise Failure("--type config is for control planes outside of their cluster, which are not supported")
    if auth_type == "plugin":
        raise Failure("--auth-type plugin is refused: control planes run no programs of remote secrets")
    if server and not server.startswith("unix:///"):
        raise Failure("only meshes of this machine can be read: --server is unix:///PATH", code=Exit.USAGE)
    if secret_name or service_account or not create_service_account:
        note("Warning: the options about tokens have no effect; the socket asks for none")
    cluster = name or _uid()
    emit(to_yaml(_secret(cluster, server or f"unix://{state_directory(mesh_name()).absolute() / 'run' / 'sock'}")))


def _uid() -> str:
    from mizzen.cli.connection import lab
    from mizzen.cli.failure import Failure

    _, found = lab().objects("Namespace", None, "kube-system")
    uid = found[0]["metadata"].get("uid") if found else None
    if not uid:
        raise Failure(
            "the mesh has no namespace kube-system to name the cluster by", hint="give the cluster's id with --name"
        )
    return str(uid)


def _secret(cluster: str, server: str) -> Json:
    from mizzen.cli.output import to_yaml

    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
        "users": [{"name": cluster, "user": {}}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": _NAME.format(cluster),
            "namespace": "istio-system",
            "labels": {"istio/multiCluster": "true"},
            "annotations": {"networking.istio.io/cluster": cluster},
        },
        "stringData": {cluster: to_yaml(config) + "\n"},
    }
