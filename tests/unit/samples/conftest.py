"""Runs sample programs in this process, on a free port of the loopback."""

from collections.abc import Callable, Iterator

import pytest

from mizzen.samples.web import Handler, Server

Serving = Callable[[Handler], str]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """``serving(handler)`` serves it and gives its URL, without a slash at the end."""
    servers: list[Server] = []

    def start(handler: Handler) -> str:
        server = Server(handler, 0, "127.0.0.1", quiet=0.0)
        servers.append(server)
        server.start()
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        server.drain()
