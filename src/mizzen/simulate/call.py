"""Call: one connection, and the request on it, as a proxy would see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Entry(StrEnum):
    """How a connection reaches the proxy."""

    OUTBOUND = "outbound"
    """The app beside the proxy dialled ``address:port`` and was captured to 15001 (row PO-02)."""
    INBOUND = "inbound"
    """Somebody dialled the pod at ``port`` and was captured to 15006 (row PO-03)."""
    DIRECT = "direct"
    """The proxy's own port was dialled: a gateway."""


class Speech(StrEnum):
    """What the client sends first, inside TLS if there is any."""

    HTTP10 = "http/1.0"
    HTTP1 = "http/1.1"
    HTTP2 = "http/2"
    TCP = "tcp"
    """Bytes that are not HTTP."""
    SILENT = "silent"
    """Nothing: a protocol in which the server speaks first (row PR-06)."""

    @property
    def is_http(self) -> bool:
        return self in (Speech.HTTP10, Speech.HTTP1, Speech.HTTP2)


class Tls(StrEnum):
    """Whether the client speaks TLS, and what it shows."""

    PLAIN = "plain text"
    TLS = "TLS without a certificate"
    MUTUAL = "TLS with a certificate of the mesh"
    FOREIGN = "TLS with a certificate that is not of the mesh"


@dataclass(frozen=True, kw_only=True)
class Call:
    """``host`` is the Host (or :authority) header as sent, with its port if the client writes one. ``path`` has the query.

    ``alpn`` is the offer of the client, most wanted first. ``source`` and ``source_port`` are the client's own.
    """

    port: int
    address: str = "192.0.2.1"
    """The address that was dialled; the default is one that belongs to nobody (RFC 5737)."""
    entry: Entry = Entry.OUTBOUND
    speech: Speech = Speech.HTTP1
    tls: Tls = Tls.PLAIN
    sni: str = ""
    alpn: tuple[str, ...] = ()
    host: str = ""
    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further request headers. Those of one name are joined by a comma beforehand, as Envoy does before it compares."""
    source: str = "198.51.100.1"
    source_port: int = 50000

    @property
    def encrypted(self) -> bool:
        return self.tls is not Tls.PLAIN

    @property
    def scheme(self) -> str:
        return "https" if self.encrypted else "http"

    @property
    def request(self) -> dict[str, str]:
        """Every header of the request by lower-case name, pseudo headers as HTTP/2 has them."""
        given = {name.lower(): value for name, value in self.headers.items()}
        pseudo = {":method": self.method, ":authority": self.host, ":path": self.path, ":scheme": self.scheme}
        return {"x-forwarded-proto": self.scheme, **given, **pseudo}
