"""HTTP for the child that fetches modules: bounded in time and size, and never from addresses that are not to be asked.

Addresses are judged when a connection is made, so that neither a redirect nor a name that moves leads around it
(row WP-14). Credentials go to the host that they are for and to no other.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

NEVER = ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")
"""Link-local addresses and those at which clouds serve credentials."""
_PART = 64 * 1024
_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)


class Refused(Exception):
    """Why nothing was fetched; the text holds no credential."""


@dataclass(frozen=True)
class Answer:
    """``headers`` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Iterator[bytes]


@dataclass
class Transfer:
    """One fetch, whose connections are open until its ``with`` ends. ``timeout`` is for each request, its body included; ``limit`` for the bytes of each answer."""

    timeout: float
    limit: int
    blocked: tuple[str, ...] = ()
    unverified: bool = False
    """Whether servers need not prove who they are."""
    _networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = field(default_factory=list)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        self._networks = [ipaddress.ip_network(text, strict=False) for text in (*NEVER, *self.blocked)]

    def __enter__(self) -> Transfer:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a GET after redirects. Raises Refused, OSError or http.client.HTTPException."""
        deadline = time.monotonic() + self.timeout
        sent = dict(headers or {})
        for _ in range(_REDIRECTS + 1):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise Refused("a redirect leads to what is no http or https URL")
            sock = self._connect(parts, deadline)
            connection = http.client.HTTPConnection(parts.hostname, parts.port or _port(parts))
            connection.default_port = _port(parts)  # which the Host header does not name
            connection.sock = sock
            self._open.callback(sock.close)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers=sent)
            response = connection.getresponse()
            self._open.callback(response.close)
            found = {name.lower(): value for name, value in response.getheaders()}
            if response.status not in _MOVED or "location" not in found:
                return Answer(response.status, found, self._parts(sock, response, deadline))
            url = urljoin(url, found["location"])
            after = urlsplit(url)
            if parts.scheme == "https" and after.scheme != "https":
                raise Refused("a redirect leads from https to http")
            if (after.hostname, after.port) != (parts.hostname, parts.port):
                sent.pop("Authorization", None)
        raise Refused("too many redirects")

    def text(self, answer: Answer, limit: int) -> bytes:
        """The whole body of a small answer."""
        found = bytearray()
        for part in answer.body:
            found += part
            if len(found) > limit:
                raise Refused(f"an answer has more than {limit} bytes")
        return bytes(found)

    def _parts(self, sock: socket.socket, response: http.client.HTTPResponse, deadline: float) -> Iterator[bytes]:
        size = 0
        while part := response.read1(_PART):
            size += len(part)
            if size > self.limit:
                raise Refused(f"more than {self.limit} bytes")
            sock.settimeout(_left(deadline))
            yield part

    def _connect(self, parts: SplitResult, deadline: float) -> socket.socket:
        host = parts.hostname or ""
        sock = self._dial(host, parts.port or _port(parts), deadline)
        if parts.scheme != "https":
            return sock
        try:
            return self._context().wrap_socket(sock, server_hostname=host)
        except OSError:
            sock.close()
            raise

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.unverified:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def _dial(self, host: str, port: int, deadline: float) -> socket.socket:
        problem: OSError = OSError(f"{host} has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            self._judge(str(address[0]))
            made = socket.socket(family, kind, protocol)
            made.settimeout(_left(deadline))
            try:
                made.connect(address)
            except OSError as error:
                made.close()
                problem = error
            else:
                return made
        raise problem

    def _judge(self, address: str) -> None:
        target = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(target, "ipv4_mapped", None) or target
        if any(mapped in network for network in self._networks):
            raise Refused(f"{mapped} is an address that modules are not fetched from")


def _port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left
