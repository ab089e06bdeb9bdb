"""Counters of fixed windows: in this process, or in a Redis that several rate-limit services share."""

import asyncio
from typing import Protocol

_TIMEOUT = 2.0


class Counters(Protocol):
    """Where hits are counted."""

    async def add(self, key: str, hits: int, seconds: int) -> int:
        """Adds ``hits`` to ``key``, which may be forgotten ``seconds`` later; the sum. Raises OSError."""


class Memory:
    """Counts in this process. ``now`` is a clock in seconds."""

    def __init__(self, now: "Clock") -> None:
        self._now = now
        self._held: dict[str, tuple[int, float]] = {}
        self._swept = 0.0

    async def add(self, key: str, hits: int, seconds: int) -> int:
        """See :class:`Counters`; never raises."""
        now = self._now()
        if now - self._swept > 60:
            self._held = {k: held for k, held in self._held.items() if held[1] > now}
            self._swept = now
        count, until = self._held.get(key, (0, now + seconds))
        self._held[key] = (count + hits, until)
        return count + hits


class Clock(Protocol):
    """Seconds since the epoch."""

    def __call__(self) -> float: ...


class Redis:
    """Counts in a Redis at ``address`` (``HOST:PORT``), over one connection that is opened again after a failure."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host, int(port)
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def add(self, key: str, hits: int, seconds: int) -> int:
        """See :class:`Counters`."""
        async with self._lock:
            try:
                async with asyncio.timeout(_TIMEOUT):
                    return await self._counted(key, hits, seconds)
            except (OSError, EOFError, ValueError) as error:
                self.close()
                raise ConnectionError(f"redis {self._host}:{self._port}: {error}") from error
            except TimeoutError as error:
                self.close()
                raise ConnectionError(f"redis {self._host}:{self._port}: no answer") from error

    async def _counted(self, key: str, hits: int, seconds: int) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(command("INCRBY", key, str(hits)) + command("EXPIRE", key, str(seconds)))
        await writer.drain()
        answers = [(await reader.readuntil(b"\r\n")).decode().rstrip() for _ in range(2)]
        for answer in answers:
            if not answer.startswith(":"):
                raise ValueError(answer)
        return int(answers[0][1:])

    def close(self) -> None:
        """Ends the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def command(*words: str) -> bytes:
    """A command as Redis reads it: an array of strings, each with its length."""
    parts = [f"*{len(words)}\r\n".encode()]
    parts += [b"$%d\r\n%s\r\n" % (len(data), data) for data in (word.encode() for word in words)]
    return b"".join(parts)
