"""Proof that capture works, by a connection that only capture can bring to us (row TC-12).

Run in a pod whose rules a CNI plugin made. The container runs as the proxy's user, so that its call to the pod's own
address counts as the proxy's call to the app, which capture sends to the inbound port.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time

from mizzen.errors import LabError

FAILED = 126
"""Exit code by which a CNI plugin's repair knows that the pod must be made again."""
PROBE_PORT = 15002
DEADLINE = 5.0
_ORIGINAL_DESTINATION = 80
"""``SO_ORIGINAL_DST`` and ``IP6T_SO_ORIGINAL_DST`` of Linux."""
_HOSTS = {4: ("127.0.0.1", "127.0.0.6"), 6: ("::1", "::6")}


def validate(ports: tuple[int, int], version: int, seconds: float = DEADLINE) -> None:
    """Listen on both ``ports`` of loopback, dial an address where nothing listens, and see the dialled port arrive.

    Raises LabError when that does not happen within ``seconds``.
    """
    here, there = _HOSTS[version]
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        servers = [_listen(family, here, port, selector) for port in ports]
        try:
            while not _arrives(family, there, selector, deadline):
                if time.monotonic() >= deadline:
                    raise LabError(
                        f"IPv{version}: a connection to {there}:{PROBE_PORT} was not captured within {seconds:g} s",
                        "the pod's rules are missing: make the pod again",
                    )
        finally:
            for server in servers:
                server.close()


def _listen(family: int, host: str, port: int, selector: selectors.BaseSelector) -> socket.socket:
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((host, port))
    except OSError as error:
        server.close()
        raise LabError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    server.listen()
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ)
    return server


def _arrives(family: int, host: str, selector: selectors.BaseSelector, deadline: float) -> bool:
    """One attempt: whether the connection came to us and still knows where it wanted to go."""
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        client.connect_ex((host, PROBE_PORT))
        # Half a second a try: a refused connection is not told to the selector, which watches the servers only.
        for key, _ in selector.select(max(0.0, min(0.5, deadline - time.monotonic()))):
            server = key.fileobj
            assert isinstance(server, socket.socket)
            connection, _ = server.accept()
            with connection:
                if _wanted(connection, family) == PROBE_PORT:
                    return True
    return False


def _wanted(connection: socket.socket, family: int) -> int:
    level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6
    try:
        found = connection.getsockopt(level, _ORIGINAL_DESTINATION, 28)
    except OSError:
        return 0
    port: int = struct.unpack_from("!H", found, 2)[0]
    return port
