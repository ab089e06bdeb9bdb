"""``mizzen``: the table of verbs, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys

import click

from mizzen.cli.failure import Exit, Failure
from mizzen.cli.lazy import LazyGroup
from mizzen.cli.options import mesh_options
from mizzen.errors import LabError, MeshError

COMMANDS = {
    "up": ("mizzen.cli.up", "Start the mesh on this machine and apply files to it."),
    "down": ("mizzen.cli.down", "Take the mesh down; its state is kept."),
    "ps": ("mizzen.cli.ps", "List the pods of the mesh, its gateways and its control plane."),
    "doctor": ("mizzen.cli.doctor", "Check what this machine lacks to run a mesh."),
    "run": ("mizzen.cli.run", "Run a local process as a member of the mesh."),
    "exec": ("mizzen.cli.execute", "Run a command in a pod."),
    "logs": ("mizzen.cli.logs", "Print what a container wrote."),
    "scale": ("mizzen.cli.scale", "Set the number of replicas of a workload."),
    "rollout": ("mizzen.cli.rollout", "Restart a workload, or wait for its rollout."),
    "apply": ("mizzen.cli.apply", "Create or change objects from files."),
    "delete": ("mizzen.cli.delete", "Delete objects by name or from files."),
    "get": ("mizzen.cli.get", "Show objects."),
    "edit": ("mizzen.cli.edit", "Edit an object in your editor."),
    "proxy-status": ("mizzen.cli.proxy_status", "Show what each proxy is subscribed to and has acknowledged."),
    "proxy-config": ("mizzen.cli.proxyconfig", "Show the configuration of a proxy."),
    "validate": ("mizzen.cli.validate", "Check files without a mesh."),
    "analyze": ("mizzen.cli.analyze", "Check how objects fit together."),
    "create-remote-secret": (
        "mizzen.cli.create_remote_secret",
        "Print the Secret by which another mesh reads this one.",
    ),
    "remote-clusters": ("mizzen.cli.remote_clusters", "List the clusters that the control plane reads."),
    "kube-inject": ("mizzen.cli.kube_inject", "Add the sidecar to workloads in files."),
    "experimental": ("mizzen.cli.experimental", "Commands that Istio keeps under this name."),
    "version": ("mizzen.cli.version", "Print the versions of client, control plane and proxies."),
    "completion": ("mizzen.cli.completion", "Print the shell's completion script."),
    "controlplane": ("mizzen.cli.controlplane", "Run the control plane (started by `up`)."),
}

ALIASES = {"pst": "proxy-status", "pc": "proxy-config", "v": "validate", "x": "experimental", "exp": "experimental"}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    aliases=ALIASES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@mesh_options
def cli() -> None:
    """The Istio API on any Linux machine, with the real Envoy.

    Start a mesh with `mizzen up -f FILE`, look around with `mizzen ps`, take it down with `mizzen down`.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code: data on stdout, everything else on stderr."""
    code = run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`| head`) is gone; the interpreter must not try to flush again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    try:
        result = cli.main(arguments, prog_name="mizzen", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return int(error.exit_code)
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except MeshError as error:
        return report(error)
    return int(result) if isinstance(result, int) else Exit.DONE


def report(error: MeshError) -> int:
    """Say on stderr what went wrong and what to do next; the exit code."""
    hint = error.hint if isinstance(error, Failure | LabError) else ""
    if str(error):
        print(f"Error: {error}", file=sys.stderr)
    if hint:
        print(f"  next: {hint}", file=sys.stderr)
    return error.code if isinstance(error, Failure) else Exit.ERROR
