"""Control groups: one per mesh, one per pod below it, so that nothing that a pod started can outlive it unseen."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def root() -> Path | None:
    """Where cgroup v2 is mounted and writable, else None (then mount tables tell what belongs to a mesh)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        if after.split()[0] == "cgroup2":
            path = Path(before.split()[4])
            return path if os.access(path / "cgroup.procs", os.W_OK) else None
    return None


def of_mesh(mesh: str) -> Path | None:
    top = root()
    return top / f"mizzen-{mesh}" if top else None


def kill(path: Path) -> None:
    """SIGKILL for all processes below ``path``; nothing there is no error."""
    with contextlib.suppress(OSError):
        (path / "cgroup.kill").write_text("1", encoding="ascii")


def remove(path: Path) -> bool:
    """Remove the emptied groups, the deepest first. False while a process is still in one."""
    if not path.exists():
        return True
    for below in sorted((p for p in path.rglob("*") if p.is_dir()), key=lambda p: -len(p.parts)):
        with contextlib.suppress(OSError):
            below.rmdir()
    with contextlib.suppress(OSError):
        path.rmdir()
    return not path.exists()


def processes(path: Path) -> list[int]:
    """All pids at and below ``path``."""
    found: list[int] = []
    for file in (path / "cgroup.procs", *path.rglob("cgroup.procs")):
        with contextlib.suppress(OSError):
            found += [int(line) for line in file.read_text(encoding="ascii").split()]
    return sorted(set(found))
