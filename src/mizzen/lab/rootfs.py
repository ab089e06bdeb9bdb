"""The file system of a pod: an overlay of the host's ``/`` whose changes live in memory, and mounts over it.

Runs in the forked child that becomes the pod's holder, as root, in a new mount namespace. Standard library only.
Nothing is ever mounted in the host's own namespace: when the last process of a mesh ends, all of it is gone.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from mizzen.lab import kernel

_HIDDEN = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/run", "/var/lib/mizzen")  # noqa: S108
_REAL_FILESYSTEMS = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "virtiofs", "9p", "nfs", "nfs4", "fuseblk", "vfat", "overlay", "erofs", "squashfs"}


def build(plan: dict[str, Any]) -> None:
    """Become the pod's root. ``plan``: ``directory`` (scratch, in memory), ``mesh``, ``hostname``, ``files`` (path ->
    text), ``mounts`` ([{source, target, read_only, optional}]), ``memory`` (paths of empty in-memory directories).
    Raises OSError."""
    directory = plan["directory"]
    upper, work, root = (f"{directory}/{name}" for name in ("upper", "work", "root"))
    for path in (upper, work, root):
        os.makedirs(path, exist_ok=True)
    os.chmod(upper, 0o755)  # noqa: S103 - the root directory of every container
    kernel.mount(f"mizzen-{plan['mesh']}", root, "overlay", 0, f"lowerdir=/,upperdir={upper},workdir={work}")
    for target in _submounts():
        with contextlib.suppress(OSError):
            os.makedirs(root + target, exist_ok=True)
            _bind(target, root + target, read_only=True)
    for target in ("/proc", "/dev"):
        kernel.mount(target, root + target, "", kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("sysfs", f"{root}/sys", "sysfs", kernel.MS_NOSUID | kernel.MS_NODEV)
    memory_flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount(f"mizzen-{plan['mesh']}", f"{root}/run", "tmpfs", memory_flags, "mode=755")
    kernel.mount(f"mizzen-{plan['mesh']}", f"{root}/tmp", "tmpfs", memory_flags, "mode=1777")
    for target in plan["memory"]:
        os.makedirs(root + target, exist_ok=True)
        kernel.mount(f"mizzen-{plan['mesh']}", root + target, "tmpfs", memory_flags, "mode=1777")
    for item in sorted(plan["mounts"], key=lambda m: str(m["target"]).count("/")):
        _place(item, root)
    for path, text in plan["files"].items():
        _write(root + path, text, 0o755 if "/bin/" in path else 0o644)
    kernel.pivot_root(root)
    kernel.set_hostname(plan["hostname"])


def _submounts() -> list[str]:
    """Mount points of disks below ``/``: an overlay shows only the one file system that its lower directory is on."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            before, _, after = line.partition(" - ")
            target, fstype = before.split()[4].replace("\\040", " "), after.split()[0]
            hidden = any(target == top or target.startswith(top + "/") for top in _HIDDEN)
            if target != "/" and not hidden and fstype in _REAL_FILESYSTEMS:
                found.append(target)
    return found


def _place(item: dict[str, Any], root: str) -> None:
    source, target = item["source"], root + item["target"]
    if not os.path.exists(source):
        if item.get("optional"):
            return
        raise FileNotFoundError(2, f"volume source {source} does not exist")
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            _write(target, "", 0o644)
    _bind(source, target, bool(item.get("read_only")))


def _bind(source: str, target: str, read_only: bool) -> None:
    kernel.mount(source, target, "", kernel.MS_BIND | kernel.MS_REC)
    if read_only:
        kernel.mount(source, target, "", kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY)


def _write(path: str, text: str, mode: int) -> None:
    if os.path.islink(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
