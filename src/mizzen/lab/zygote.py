"""The process that forks: small, single-threaded, standard library only, so a fork costs a millisecond.

It lives in a mount namespace of its own, with one tmpfs at ``SCRATCH`` that holds what pods write; pods' namespaces
are copies of it. The supervisor sends one JSON message per request over a SOCK_SEQPACKET socket, with file
descriptors beside it, and gets an answer with the same ``id``; ``{"exit": pid, "code": n}`` tells that a child ended.
When the supervisor is gone the zygote ends; what it forked runs on.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from mizzen.lab import kernel, rootfs

LIMIT = 1 << 20
"""The size of one message in bytes."""

_UNREACHABLE = 125
_WHOLE: set[int] = set()
"""Children that take what they started along when they end, as the first process of a container does."""


def main(arguments: list[str]) -> None:
    """``arguments``: the number of the socket's descriptor, the mesh's name, the scratch directory."""
    channel = socket.socket(fileno=int(arguments[0]))
    channel.set_inheritable(False)
    mesh, scratch = arguments[1], arguments[2]
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_SLAVE)
    kernel.mount(f"mizzen-{mesh}", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=711")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    channel.send(json.dumps({"id": 0, "pid": os.getpid()}).encode())
    while True:
        readable, _, _ = select.select([channel.fileno(), wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            _reap(channel)
        if channel.fileno() in readable and not _serve(channel):
            return


def _reap(channel: socket.socket) -> None:
    while True:
        try:
            # Looked at before it is reaped: until then its number, and that of its session, is nobody else's.
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None:
            return
        pid = ended.si_pid
        if pid in _WHOLE:
            _WHOLE.discard(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        channel.send(json.dumps({"exit": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _serve(channel: socket.socket) -> bool:
    data, descriptors, _, _ = socket.recv_fds(channel, LIMIT, 3)
    if not data:
        return False
    request = json.loads(data)
    try:
        answer = {"id": request["id"], "pid": _fork(request, descriptors)}
    except OSError as error:
        answer = {"id": request["id"], "error": error.strerror or str(error), "errno": error.errno}
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    channel.send(json.dumps(answer).encode())
    return True


def _fork(request: dict[str, Any], descriptors: list[int]) -> int:
    """Returns when the child has become the wanted program. Raises OSError with the step that failed."""
    report_read, report_write = os.pipe()  # closed on exec: an empty report means success
    pid = os.fork()
    if pid == 0:
        try:
            os.close(report_read)
            _become(request, descriptors)
        except OSError as error:
            os.write(report_write, json.dumps([error.errno or 0, error.strerror or str(error)]).encode())
        except BaseException as error:  # noqa: BLE001 - a forked child must never return into the server's loop
            os.write(report_write, json.dumps([0, repr(error)]).encode())
        os._exit(_UNREACHABLE)
    if request.get("whole"):
        _WHOLE.add(pid)
    os.close(report_write)
    with os.fdopen(report_read, "rb") as report:
        failure = report.read()
    if failure:
        number, text = json.loads(failure)
        raise OSError(number, text)
    return pid


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    _join_cgroup(request.get("cgroup", ""))
    if plan := request.get("pod"):
        kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS)
        kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
        _open_ports()
        rootfs.build(plan)
    for path in request.get("namespaces", []):
        kernel.enter(path)
    for target, source in enumerate(descriptors):
        os.dup2(source, target)
        os.close(source)
    if not descriptors:
        null = os.open("/dev/null", os.O_RDWR)
        for target in range(3):
            os.dup2(null, target)
    _execute(request)


def _open_ports() -> None:
    """As container runtimes do: a program without privileges may listen on port 80 and send pings in its namespace."""
    for name, value in (("ip_unprivileged_port_start", "0"), ("ping_group_range", "0 2147483647")):
        with open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:
            file.write(value)


def _join_cgroup(path: str) -> None:
    if path:
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")


def _execute(request: dict[str, Any]) -> None:
    os.umask(0o022)
    uid, gid = request.get("uid", 0), request.get("gid", 0)
    if request.get("capabilities") is not None:
        kernel.keep_capabilities(set(request["capabilities"]))
    if request.get("no_new_privileges"):
        kernel.no_new_privileges()
    if directory := request.get("directory"):
        # Before the user is changed: a checkout may lie below a directory that only root may pass.
        _enter(directory)
    if uid or gid:
        os.setgroups(request.get("groups", []))
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    arguments, environment = request["arguments"], request["environment"]
    try:
        os.execvpe(arguments[0], arguments, environment)  # noqa: S606 - running what the pod says is the purpose
    except PermissionError:
        # One directory of PATH that this user may not enter makes it look as if the program were there.
        if "/" in arguments[0] or any(
            os.path.exists(f"{place}/{arguments[0]}") for place in os.get_exec_path(environment)
        ):
            raise
        raise FileNotFoundError(2, f"not found in PATH by user {os.getuid()}") from None


def _enter(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        raise OSError(error.errno, f"cannot enter {directory}: {error.strerror}") from None


if __name__ == "__main__":
    main(sys.argv[1:])
