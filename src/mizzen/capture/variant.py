"""Which of the kernel's two interfaces iptables is to speak to, where nobody says (row TC-11).

Rules of both may be in force in one namespace, and then what one of them says is hard to tell: ours go where others are.
"""

from __future__ import annotations

import shutil
import subprocess

KINDS = ("nft", "legacy")
_SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"


def detect() -> str:
    """``nft`` or ``legacy`` where rules or chains of that kind are, the newer first; else empty, for what plain
    ``iptables`` is, or what there is in its place."""
    there = [kind for kind in KINDS if _found(f"iptables-{kind}-restore")]
    for kind in there:
        if any(_in_use(f"{name}-{kind}-save") for name in ("iptables", "ip6tables")):
            return kind
    return "" if _found("iptables-restore") or not there else there[0]


def _in_use(save: str) -> bool:
    """Whether there is a rule, or a chain that is not the kernel's own. What cannot be read counts as empty."""
    path = _found(save)
    if path is None:
        return False
    done = subprocess.run([path], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    return any(line.startswith("-A ") or (line.startswith(":") and line.split()[1:2] == ["-"]) for line in lines)


def _found(name: str) -> str | None:
    # Root's sbin is not on everyone's PATH.
    return shutil.which(name) or shutil.which(name, path=_SBIN)
