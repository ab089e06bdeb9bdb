"""Starting a mesh's supervisor in the background."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from mizzen.errors import LabError
from mizzen.lab.settings import MESH_NAME

_PATIENCE_SECONDS = 20.0
_TOOLS = {"ip": "iproute2", "nft": "nftables", "iptables": "iptables", "nsenter": "util-linux"}


def start(mesh: str, state: Path, config_path: Path | None, authorization_mode: str | None = None) -> None:
    """Start the supervisor and return when its socket answers; at once when it already does.

    Leftovers of a run that was killed are removed first. Raises LabError with the next step: no root, a missing
    command, no namespaces.
    """
    sock = state / "run" / "sock"
    if answers(sock):
        return
    _check(mesh)
    from mizzen.lab import cleanup

    cleanup.clean(mesh, state, purge=False)
    for path, mode in ((state, 0o711), (state / "run", 0o700)):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    log = state / "run" / "supervisor.log"
    command = [sys.executable, "-m", "mizzen.lab.supervisor", "--mesh", mesh, "--state", str(state)]
    if config_path is not None:
        command += ["--config", str(config_path)]
    if authorization_mode is not None:
        command += ["--authorization-mode", authorization_mode]
    package = str(Path(__file__).resolve().parents[2])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")])),
    }
    with log.open("ab") as file:
        position = file.tell()
        # The shell ends at once, so the supervisor is nobody's child here and no zombie when it ends.
        done = subprocess.run(
            ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            cwd="/",
            env=environment,
            start_new_session=True,
            check=True,
        )
    pid = int(done.stdout)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not answers(sock):
        if not _lives(pid):
            raise _reason(log, position)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise _reason(log, position)
        time.sleep(0.02)
    (state / "run" / "supervisor.pid").write_text(f"{pid}\n", encoding="ascii")


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def answers(path: Path) -> bool:
    """Whether a supervisor answers on the Unix socket ``path``. A connection alone proves nothing: the kernel accepts
    it for a process that was killed a moment ago."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        try:
            sock.connect(str(path))
            sock.sendall(b"GET /v1/ready?timeout=0 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            return sock.recv(8) == b"HTTP/1.1"
        except OSError:
            return False


def _check(mesh: str) -> None:
    if not MESH_NAME.fullmatch(mesh):
        raise LabError(f"{mesh!r} is no name for a mesh", "use small letters, digits and dashes")
    if os.geteuid() != 0:
        raise LabError("a mesh needs root: it makes network and mount namespaces", "run the command with sudo")
    for tool, package in _TOOLS.items():
        if shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            raise LabError(f"the command {tool} is missing", f"apt-get install {package}")


def _reason(log: Path, position: int) -> LabError:
    with log.open("rb") as file:
        file.seek(position)
        text = file.read().decode(errors="replace")
    message, hint = "", ""
    for line in text.splitlines():
        if line.startswith("LabError: "):
            message = line.removeprefix("LabError: ")
        elif line.startswith("hint: "):
            hint = line.removeprefix("hint: ")
    last = text.strip().splitlines()[-1:] or ["it said nothing"]
    return LabError(message or f"the mesh did not start: {last[0]}", hint or f"see {log}")
