"""The proxy's two sockets, UDP and TCP (rows PO-08, DN-01 to DN-03)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from typing import cast

from mizzen.agent.dns import message
from mizzen.agent.dns.counters import Counters
from mizzen.agent.dns.message import BadMessage, Question
from mizzen.agent.dns.names import Names
from mizzen.agent.dns.upstream import Upstream

MOST = 512
"""Questions that wait for others at one time; what comes then is told to come again later."""
IDLE = 10.0
"""Seconds that a connection may be silent."""
_TRIES = 20
_SIZES = {message.A: 4, message.AAAA: 16}


def bound(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one port, where ``port`` is 0 on any that both can have. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tries = 1 if port else _TRIES
    while True:
        tries -= 1
        tcp, udp = socket.socket(family, socket.SOCK_STREAM), socket.socket(family, socket.SOCK_DGRAM)
        try:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tcp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tcp.bind((host, port))
            udp.bind((host, tcp.getsockname()[1]))
        except OSError:
            tcp.close()
            udp.close()
            if not tries:
                raise
        else:
            tcp.setblocking(False)
            udp.setblocking(False)
            return udp, tcp


class Server:
    """``names`` is None until the control plane has sent a table: then every question fails, so that clients ask again,
    unless ``early`` lets others answer (row DN-03)."""

    def __init__(
        self, upstream: Upstream, counters: Counters, tasks: asyncio.TaskGroup, *, early: bool = False
    ) -> None:
        self.names: Names | None = None
        self._upstream = upstream
        self._counters = counters
        self._tasks = tasks
        self._early = early
        self._waiting = 0
        self._shuffle = random.SystemRandom()
        self._transports: list[asyncio.BaseTransport] = []
        self._listeners: list[asyncio.Server] = []
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self, host: str, port: int) -> int:
        """Listen on one address with both protocols; the port, where ``port`` was 0. Raises OSError."""
        udp, tcp = bound(host, port)
        chosen = int(udp.getsockname()[1])
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Datagrams(self), sock=udp)
        self._transports.append(transport)
        self._listeners.append(await asyncio.start_server(self._stream, sock=tcp))
        return chosen

    async def close(self) -> None:
        """Answer nobody any more; returns when every connection has ended."""
        for transport in self._transports:
            transport.close()
        for listener in self._listeners:
            listener.close()
        for writer in self._connections.values():
            writer.close()
        if self._connections:
            await asyncio.wait(self._connections)

    def datagram(self, transport: asyncio.DatagramTransport, data: bytes, client: tuple[str, int]) -> None:
        """One question over UDP. Names of the mesh are answered before anything else is looked at."""
        self._counters.requests += 1
        try:
            question = message.parse(data)
        except BadMessage as error:
            if error.id is not None:
                transport.sendto(message.malformed(error.id), client)
            return
        found = self._here(question, question.room)
        if found is not None:
            transport.sendto(found, client)
        else:
            self._tasks.create_task(self._relay(transport, question, data, client))

    async def _relay(
        self, transport: asyncio.DatagramTransport, question: Question, data: bytes, client: tuple[str, int]
    ) -> None:
        found = await self._elsewhere(question, data, tcp=False)
        if not transport.is_closing():
            transport.sendto(found if len(found) <= question.room else message.cut(question, found), client)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await self._converse(reader, writer)
        except asyncio.CancelledError:
            # Only the loop's end cancels it, and Python 3.11 asks such a task for its exception, which raises.
            return
        finally:
            del self._connections[task]
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(IDLE):
                data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            found = await self._over_tcp(data)
            if not found:
                return
            writer.write(len(found).to_bytes(2, "big") + found)
            await writer.drain()

    async def _over_tcp(self, data: bytes) -> bytes:
        self._counters.requests += 1
        try:
            question = message.parse(data)
        except BadMessage as error:
            return message.malformed(error.id) if error.id is not None else b""
        return self._here(question, 65535) or await self._elsewhere(question, data, tcp=True)

    def _here(self, question: Question, room: int) -> bytes | None:
        """Our own answer; None when others must be asked, which also know other types of our names."""
        if self.names is None:
            return None if self._early else message.failure(question)
        size = _SIZES.get(question.kind)
        if size is None or not question.internet or "\\" in question.name:
            return None
        found = self.names.find(question.name)
        if found is None:
            return None
        addresses = [address for address in found.addresses if len(address) == size]
        self._shuffle.shuffle(addresses)
        return message.answer(question, addresses, found.alias, limit=room)

    async def _elsewhere(self, question: Question, data: bytes, *, tcp: bool) -> bytes:
        if self._waiting >= MOST:
            return message.failure(question)
        self._waiting += 1
        try:
            return await self._upstream.ask(question, data, tcp=tcp) or message.failure(question)
        finally:
            self._waiting -= 1


class _Datagrams(asyncio.DatagramProtocol):
    """One UDP socket of a server, which may have one per address family."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if self._transport is not None:
            self._server.datagram(self._transport, data, cast("tuple[str, int]", addr))
