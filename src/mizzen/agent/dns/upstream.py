"""The pod's own name servers, asked for what is not the mesh's (row DN-03)."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from typing import cast

from mizzen.agent.dns import message
from mizzen.agent.dns.counters import Counters
from mizzen.agent.dns.message import Question

Address = tuple[str, int]


class Upstream:
    """``servers`` are asked one after the other in random order, ``timeout`` seconds each; with ``parallel`` all at once."""

    def __init__(
        self, servers: Sequence[Address], counters: Counters, *, timeout: float = 5.0, parallel: bool = False
    ) -> None:
        self._servers = tuple(servers)
        self._counters = counters
        self._timeout = timeout
        self._parallel = parallel
        self._order = random.SystemRandom()

    async def ask(self, question: Question, data: bytes, *, tcp: bool) -> bytes | None:
        """The first answer, whatever it says, under the client's id; None when no server gives one."""
        self._counters.upstream += 1
        begin = time.monotonic()
        ask = self._everybody if self._parallel else self._one_by_one
        found = await ask(question, data, tcp)
        self._counters.took(time.monotonic() - begin)
        if found is None:
            self._counters.failures += 1
            return None
        return message.renumbered(found, question.id)

    async def _one_by_one(self, question: Question, data: bytes, tcp: bool) -> bytes | None:
        for server in self._order.sample(self._servers, len(self._servers)):
            if (found := await self._one(server, question, data, tcp)) is not None:
                return found
        return None

    async def _everybody(self, question: Question, data: bytes, tcp: bool) -> bytes | None:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._one(server, question, data, tcp)) for server in self._servers]
            try:
                for next_one in asyncio.as_completed(asked):
                    if (found := await next_one) is not None:
                        return found
            finally:
                for task in asked:
                    task.cancel()
        return None

    async def _one(self, server: Address, question: Question, data: bytes, tcp: bool) -> bytes | None:
        # A number that a stranger cannot know, from a port that the system chose: a forged answer misses both.
        number = int.from_bytes(os.urandom(2), "big")
        asked = message.renumbered(data, number)
        try:
            async with asyncio.timeout(self._timeout):
                return await (_stream if tcp else _datagram)(server, asked, number, question)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return None


async def _datagram(server: Address, data: bytes, number: int, question: Question) -> bytes:
    loop = asyncio.get_running_loop()
    waiting = _Waiting(data, number, question, loop.create_future())
    transport, _ = await loop.create_datagram_endpoint(lambda: waiting, remote_addr=server)
    try:
        return await waiting.answer
    finally:
        transport.close()


async def _stream(server: Address, data: bytes, number: int, question: Question) -> bytes:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(data).to_bytes(2, "big") + data)
        found = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    finally:
        writer.close()
    if not message.answers_to(found, number, question):
        raise OSError("an answer to another question")
    return found


class _Waiting(asyncio.DatagramProtocol):
    """One datagram sent, one awaited; whatever is no answer to it is passed over."""

    def __init__(self, data: bytes, number: int, question: Question, answer: asyncio.Future[bytes]) -> None:
        self._data = data
        self._number = number
        self._question = question
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.DatagramTransport", transport).sendto(self._data)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if not self.answer.done() and message.answers_to(data, self._number, self._question):
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)
