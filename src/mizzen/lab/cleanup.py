"""Taking away what a mesh left on the machine, also when everything of it was killed in the middle of a step.

What belongs to a mesh is found by marks that the kernel keeps, not by notes that a crash could lose: the control group,
the names of mounts (``mizzen-NAME``) in a process's mount table, the node namespace, and the supervisor's command line.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from mizzen.lab import cgroups, network

_PATIENCE_SECONDS = 4.0


def clean(mesh: str, state: Path, purge: bool, spare: int = 0) -> None:
    """End every process of the mesh but ``spare`` and this one, then remove namespace, link, rules, groups and sockets.

    ``purge`` removes the state directory too. A mesh that does not exist is no error.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    group = cgroups.of_mesh(mesh)
    while True:
        alive = [pid for pid in processes(mesh, state) if pid not in (spare, os.getpid())]
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if group is not None:
            cgroups.kill(group)
        if not alive or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    if os.geteuid() == 0:
        network.remove(mesh, _quietly)
    if group is not None:
        while not cgroups.remove(group) and time.monotonic() < deadline:
            time.sleep(0.02)
    for name in ("sock", "exec.sock", "controlplane.sock", "supervisor.pid"):
        (state / "run" / name).unlink(missing_ok=True)
    shutil.rmtree(state / "run" / "pods", ignore_errors=True)
    if purge:
        shutil.rmtree(state, ignore_errors=True)
        with contextlib.suppress(OSError):
            state.parent.rmdir()


def leftovers(mesh: str, state: Path) -> list[str]:
    """Everything of the mesh that is still on the machine, one line each; empty after a good ``down``."""
    found = [f"process {pid} ({_command(pid)[:80]})" for pid in processes(mesh, state) if pid != os.getpid()]
    if (network.NAMESPACES / f"mizzen-{mesh}").exists():
        found.append(f"network namespace mizzen-{mesh}")
    if Path(f"/sys/class/net/{network.link_name(mesh)}").exists():
        found.append(f"network interface {network.link_name(mesh)}")
    if _quietly("nft", "list", "table", "ip", f"mizzen-{mesh}"):
        found.append(f"nftables table mizzen-{mesh}")
    if (network.RECORDS / f"{mesh}.json").exists():
        found.append(f"record of host changes {network.RECORDS / f'{mesh}.json'}")
    group = cgroups.of_mesh(mesh)
    if group is not None and group.exists():
        found.append(f"control group {group}")
    found += [f"mount {line.split()[4]}" for line in _mounts("self") if f" mizzen-{mesh} " in line]
    found += [f"socket {state / 'run' / name}" for name in ("sock", "exec.sock") if (state / "run" / name).exists()]
    return found


def processes(mesh: str, state: Path) -> list[int]:
    """Pids of everything that belongs to the mesh."""
    group = cgroups.of_mesh(mesh)
    found = set(cgroups.processes(group)) if group is not None and group.exists() else set()
    own = _namespace("self")
    seen: dict[str, bool] = {}
    wanted = ["-m", "mizzen.lab.supervisor", "--mesh", mesh, "--state", str(state)]
    for pid in _pids():
        words = _command(pid).split(" ")
        if wanted == words[1 : 1 + len(wanted)]:
            found.add(pid)
            continue
        space = _namespace(str(pid))
        if not space or space == own:
            continue
        if space not in seen:
            seen[space] = any(f" mizzen-{mesh} " in line for line in _mounts(str(pid)))
        if seen[space]:
            found.add(pid)
    return sorted(found)


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _namespace(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return ""


def _mounts(pid: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _quietly(*arguments: str) -> bool:
    try:
        done = subprocess.run(arguments, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
