"""A key-value store in memory that speaks enough of Redis for counters: what the rate-limit sample keeps in it.

Commands: PING, ECHO, GET, SET, DEL, INCR, INCRBY, EXPIRE, TTL, SELECT, QUIT. Argument: the port (6379).
"""

import asyncio
import signal
import sys
import time
from collections.abc import Callable

_LONGEST = 64 * 1024
_WORDS = 1024


class Malformed(Exception):
    """The peer does not speak Redis's protocol."""


class Store:
    """Keys with values and, for some, the second at which they are forgotten. ``now`` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._held: dict[str, tuple[str, float]] = {}

    def run(self, words: list[str]) -> bytes:
        """One command's answer on the wire."""
        name, arguments = words[0].upper(), words[1:]
        command = _COMMANDS.get((name, len(arguments)))
        if command is None:
            return _error(f"unknown command {name!r} with {len(arguments)} arguments")
        return command(self, *arguments)

    def _alive(self, key: str) -> tuple[str, float] | None:
        held = self._held.get(key)
        if held is not None and held[1] <= self._now():
            del self._held[key]
            return None
        return held

    def get(self, key: str) -> bytes:
        held = self._alive(key)
        return _bulk(held[0]) if held else b"$-1\r\n"

    def set(self, key: str, value: str) -> bytes:
        self._held[key] = (value, float("inf"))
        return b"+OK\r\n"

    def delete(self, key: str) -> bytes:
        found = self._alive(key) is not None
        self._held.pop(key, None)
        return _number(int(found))

    def increase(self, key: str, by: str = "1") -> bytes:
        value, until = self._alive(key) or ("0", float("inf"))
        try:
            total = int(value) + int(by)
        except ValueError:
            return _error("value is not an integer or out of range")
        self._held[key] = (str(total), until)
        return _number(total)

    def expire(self, key: str, seconds: str) -> bytes:
        held = self._alive(key)
        if held is None or not seconds.lstrip("-").isdigit():
            return _number(0)
        self._held[key] = (held[0], self._now() + int(seconds))
        return _number(1)

    def left(self, key: str) -> bytes:
        held = self._alive(key)
        if held is None:
            return _number(-2)
        return _number(-1 if held[1] == float("inf") else round(held[1] - self._now()))


_COMMANDS: dict[tuple[str, int], Callable[..., bytes]] = {
    ("PING", 0): lambda store: b"+PONG\r\n",
    ("PING", 1): lambda store, text: _bulk(text),
    ("ECHO", 1): lambda store, text: _bulk(text),
    ("SELECT", 1): lambda store, number: b"+OK\r\n",
    ("QUIT", 0): lambda store: b"+OK\r\n",
    ("GET", 1): Store.get,
    ("SET", 2): Store.set,
    ("DEL", 1): Store.delete,
    ("INCR", 1): Store.increase,
    ("INCRBY", 2): Store.increase,
    ("EXPIRE", 2): Store.expire,
    ("TTL", 1): Store.left,
}


def _bulk(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return b"$%d\r\n%s\r\n" % (len(data), data)


def _number(value: int) -> bytes:
    return b":%d\r\n" % value


def _error(text: str) -> bytes:
    return f"-ERR {text}\r\n".encode("utf-8", "replace")


async def read_command(reader: asyncio.StreamReader) -> list[str]:
    """The words of one command, none at the end. Raises Malformed."""
    line = (await reader.readline()).decode("utf-8", "replace").strip()
    if not line:
        return []
    if not line.startswith("*"):
        return line.split()
    words = []
    for _ in range(_size(line, "*", _WORDS)):
        length = _size((await reader.readline()).decode("utf-8", "replace").strip(), "$", _LONGEST)
        words.append((await reader.readexactly(length + 2))[:-2].decode("utf-8", "surrogateescape"))
    return words


def _size(line: str, mark: str, most: int) -> int:
    text = line.removeprefix(mark)
    if not line.startswith(mark) or not text.isdigit() or int(text) > most:
        raise Malformed(f"no length: {line[:40]!r}")
    return int(text)


async def serve(store: Store, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection to its end."""
    try:
        while words := await read_command(reader):
            writer.write(store.run(words))
            await writer.drain()
            if words[0].upper() == "QUIT":
                break
    except Malformed as error:
        writer.write(_error(f"Protocol error: {error}"))
    except (OSError, asyncio.IncompleteReadError, ValueError):
        pass  # the peer went away, or its line is too long to be a command
    finally:
        writer.close()


async def run(port: int) -> None:
    """Serves until SIGTERM. Raises OSError when the port is taken."""
    store, stop = Store(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await asyncio.start_server(lambda reader, writer: serve(store, reader, writer), "0.0.0.0", port)
    print(f"redis listens on port {port}", flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    try:
        asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 6379))
    except OSError as problem:
        print(f"redis: {problem}", file=sys.stderr)
        sys.exit(1)
