"""A wire between a client and a server that can be cut without a word to either, or be slow for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Listens on ``port`` of loopback and passes on to the server's until :meth:`cut`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._cut = asyncio.Event()
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0

    def cut(self) -> None:
        """Pass nothing on any more; both sides keep their connections."""
        self._cut.set()

    def stall(self) -> None:
        """Read nothing any more: whoever sends fills the buffers between."""
        self._flows.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass(reader, far_writer))
                ways.create_task(self._pass(far_reader, writer))
        except* OSError:
            pass
        finally:
            for each in (writer, far_writer):
                each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._flows.wait()
            if not self._cut.is_set():
                writer.write(data)


@asynccontextmanager
async def relay(target: int) -> AsyncIterator[Relay]:
    """A relay to port ``target`` of loopback."""
    wire = Relay(target)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
