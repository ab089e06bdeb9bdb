"""The supervisor's end of the zygote: start programs in namespaces, learn how they ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mizzen.errors import LabError
from mizzen.lab import zygote

_LOOK_SECONDS = 0.005


class Process:
    """A program that the zygote started. ``ended`` becomes its exit code, negative for a signal."""

    def __init__(self, pid: int, ended: asyncio.Future[int]) -> None:
        self.pid = pid
        self.ended = ended

    @property
    def running(self) -> bool:
        return not self.ended.done()

    def kill(self, number: int) -> None:
        """Signal it, and with SIGKILL its whole session: a program ends its own children as it sees fit, as in a container.

        A process that is gone is no error: until reaped by us its number is not reused.
        """
        if self.running:
            for send in (os.killpg, os.kill) if number == signal.SIGKILL else (os.kill,):
                try:
                    send(self.pid, number)
                    return
                except (ProcessLookupError, PermissionError):
                    continue

    async def gone(self) -> None:
        """Returns when nothing of its session is left; its number is nobody else's until then."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while True:
                os.killpg(self.pid, 0)
                await asyncio.sleep(_LOOK_SECONDS)

    async def wait(self) -> int:
        """The exit code; a cancelled waiter does not disturb the others."""
        return await asyncio.shield(self.ended)


class Forks:
    """One zygote. Start it with :meth:`start`; all methods belong to one event loop."""

    def __init__(self, channel: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self._channel = channel
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._answers: dict[int, asyncio.Future[Process]] = {}
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._number = 0
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(channel.fileno(), self._read)

    @classmethod
    async def start(cls, mesh: str, scratch: Path) -> Forks:
        """Raises LabError when the kernel does not let us make namespaces."""
        scratch.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * zygote.LIMIT)
        command = [sys.executable, "-m", "mizzen.lab.zygote", str(theirs.fileno()), mesh, str(scratch)]
        package = str(Path(__file__).resolve().parents[2])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, start_new_session=True)  # noqa: ASYNC220
        theirs.close()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        if not await loop.sock_recv(ours, zygote.LIMIT):
            raise LabError(
                "cannot make namespaces on this machine", "run as root, on a kernel with mount and network namespaces"
            )
        return cls(ours, process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def inside(self, path: Path) -> Path:
        """``path`` as the zygote's mount namespace sees it, for reading and writing from here."""
        return Path(f"/proc/{self.pid}/root{path}")

    async def spawn(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> Process:
        """Start a program; see :mod:`mizzen.lab.zygote` for the keys. Raises OSError when it could not start."""
        self._number += 1
        number = self._number
        answer: asyncio.Future[Process] = self._loop.create_future()
        self._answers[number] = answer
        data = json.dumps({"id": number, **request}).encode()
        while True:
            try:
                socket.send_fds(self._channel, [data], list(descriptors))
                break
            except BlockingIOError:
                await asyncio.sleep(0.005)
        return await answer

    def _read(self) -> None:
        try:
            data = self._channel.recv(zygote.LIMIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._channel.fileno())
            self._fail()
            return
        message = json.loads(data)
        if "exit" in message:
            future = self._ended.pop(message["exit"], None)
            if future is not None and not future.done():
                future.set_result(message["code"])
            return
        waiting = self._answers.pop(message["id"], None)
        if "error" in message:
            if waiting is not None and not waiting.done():
                waiting.set_exception(OSError(message["errno"] or 0, message["error"]))
            return
        process = Process(message["pid"], self._loop.create_future())
        self._ended[process.pid] = process.ended
        if waiting is not None and not waiting.done():
            waiting.set_result(process)

    def _fail(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(OSError(0, "the process that starts pods is gone"))
        if not self.lost.done():
            self.lost.set_result(None)

    def close(self) -> None:
        """End the zygote; what it started is not touched."""
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()
        self._process.wait(timeout=5)
