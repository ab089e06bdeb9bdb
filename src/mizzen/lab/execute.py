"""``exec.sock``: run a command in a pod on the caller's own file descriptors."""

from __future__ import annotations

import array
import asyncio
import json
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizzen.lab.container import Container
from mizzen.lab.forks import Process

if TYPE_CHECKING:
    from mizzen.lab.supervisor import Supervisor

_LIMIT = 1 << 20
_DESCRIPTORS = 3


class Executor:
    """Serves the socket at ``path``; each connection is one command."""

    def __init__(self, supervisor: Supervisor, path: Path) -> None:
        self._supervisor = supervisor
        self._path = path

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        before = os.umask(0o177)
        try:
            listener.bind(str(self._path))
        finally:
            os.umask(before)
        listener.listen(128)
        with listener:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    connection, _ = await loop.sock_accept(listener)
                    connection.setblocking(False)
                    tasks.create_task(self._handle(connection))

    async def _handle(self, connection: socket.socket) -> None:
        descriptors: list[int] = []
        with connection:
            try:
                async with asyncio.timeout(10):
                    request = await _receive(connection, descriptors)
                answer = await self._answer(connection, request, descriptors)
            except (OSError, ValueError, KeyError, TimeoutError) as error:
                answer = {"error": str(error) or type(error).__name__}
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            try:
                await asyncio.get_running_loop().sock_sendall(connection, json.dumps(answer).encode() + b"\n")
            except OSError:
                return

    async def _answer(
        self, connection: socket.socket, request: dict[str, Any], descriptors: list[int]
    ) -> dict[str, Any]:
        if len(descriptors) != _DESCRIPTORS:
            return {"error": "three file descriptors are needed: input, output, errors"}
        pod = self._supervisor.find_pod(str(request["namespace"]), str(request["pod"]))
        if pod is None or pod.place is None:
            return {"error": f"pod {request['namespace']}/{request['pod']} does not run"}
        container = _container(list(pod.containers.values()), request.get("container"), pod.raw)
        if container is None:
            return {"error": _missing(list(pod.containers), request.get("container"), pod.raw)}
        values = {**container.values, **(request.get("env") or {})}
        words = [str(word) for word in request["command"]]
        try:
            process = await pod.place.run(
                words, values, container.user, request.get("cwd") or container.directory, descriptors
            )
        except OSError as error:
            return {"error": f"cannot run {words[0] if words else 'nothing'}: {error.strerror or error}"}
        return {"code": await _until_end(connection, process)}


def _container(every: list[Container], name: str | None, raw: dict[str, Any]) -> Container | None:
    """The named one, the annotated default, or the first app container."""
    annotations = raw["metadata"].get("annotations") or {}
    first = str((raw["spec"].get("containers") or [{}])[0].get("name", ""))
    wanted = name or annotations.get("kubectl.kubernetes.io/default-container") or first
    return next((c for c in every if c.name == wanted), None)


def _missing(begun: list[str], name: str | None, raw: dict[str, Any]) -> str:
    """Why there is no container to run a command in: it is not begun yet, or there is none of that name."""
    declared = [str(each.get("name")) for each in raw["spec"].get("containers") or []]
    if name and name not in declared:
        return f"the pod has no container {name!r}; it has {', '.join(declared or begun)}"
    message = (raw.get("status") or {}).get("message")
    return f"the container {name or declared[0]!r} does not run" + (f": {message}" if message else "")


async def _until_end(connection: socket.socket, process: Process) -> int:
    """The exit code; a signal is 128 + its number. When the client hangs up the process is killed."""
    async with asyncio.TaskGroup() as tasks:
        gone = tasks.create_task(_hang_up(connection))
        ended = tasks.create_task(process.wait())
        await asyncio.wait((gone, ended), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.kill(signal.SIGKILL)
        code = await ended
        gone.cancel()
    return 128 - code if code < 0 else code


async def _hang_up(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    try:
        while await loop.sock_recv(connection, 1024):
            pass
    except OSError:
        return


async def _receive(connection: socket.socket, descriptors: list[int]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    data = b""
    while b"\n" not in data and len(data) < _LIMIT:
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(connection.fileno(), lambda f=readable: f.done() or f.set_result(None))  # type: ignore[misc]
        try:
            await readable
        finally:
            loop.remove_reader(connection.fileno())
        chunk, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_LEN(_DESCRIPTORS * array.array("i").itemsize))
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
                descriptors += numbers
        if not chunk:
            raise ValueError("the client hung up before it said what to run")
        data += chunk
    request: dict[str, Any] = json.loads(data.split(b"\n", 1)[0])
    return request
