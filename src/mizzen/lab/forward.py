"""The ingress gateway on the host's loopback: connections to 127.0.0.1 are carried to the gateway's service address."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping

Backend = Callable[[int], tuple[str, int] | None]
_CHUNK = 65536
_TRIES = 200


class Forwarder:
    """``backend(port)`` says where a service port is now; None closes the connection. ``ports`` after :meth:`open`."""

    def __init__(self, backend: Backend, tasks: asyncio.TaskGroup) -> None:
        self.ports: dict[str, int] = {}
        self._backend = backend
        self._tasks = tasks

    async def open(self, wanted: Mapping[int, int]) -> None:
        """Listen for each service port at its wanted port or the next free one; none free in 200: not at all."""
        for service_port, first in wanted.items():
            for port in range(first, first + _TRIES):
                listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind(("127.0.0.1", port))
                    listener.listen(1024)
                except OSError:
                    listener.close()
                    continue
                listener.setblocking(False)
                await asyncio.start_server(self._handler(service_port), sock=listener, limit=_CHUNK)
                self.ports[str(service_port)] = port
                break

    def _handler(self, service_port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            target = self._backend(service_port)
            try:
                if target is not None:
                    await _carry(reader, writer, target)
            except OSError:
                pass
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

        return handle


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: tuple[str, int]) -> None:
    other_reader, other_writer = await asyncio.open_connection(*target, limit=_CHUNK)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_pump(reader, other_writer))
            tasks.create_task(_pump(other_reader, writer))
    except* OSError:
        pass
    finally:
        other_writer.close()
        with contextlib.suppress(OSError):
            await other_writer.wait_closed()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
