"""The protocol of a port, and how a port's name or ``appProtocol`` declares it (rows PR-01, PR-02)."""

from __future__ import annotations

from enum import StrEnum


class Protocol(StrEnum):
    HTTP = "HTTP"
    HTTP2 = "HTTP2"
    HTTPS = "HTTPS"
    GRPC = "GRPC"
    GRPC_WEB = "GRPC-WEB"
    TCP = "TCP"
    TLS = "TLS"
    UDP = "UDP"
    MONGO = "Mongo"
    REDIS = "Redis"
    MYSQL = "MySQL"
    HBONE = "HBONE"
    UNSUPPORTED = "UnsupportedProtocol"
    """Not declared: the proxy detects HTTP or TCP (row PR-03)."""

    @property
    def is_http(self) -> bool:
        return self in _HTTP

    @property
    def is_http2(self) -> bool:
        """Spoken upstream as HTTP/2 (row PR-09)."""
        return self in _HTTP2

    @property
    def is_tls(self) -> bool:
        return self in (Protocol.TLS, Protocol.HTTPS)


_HTTP = frozenset({Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB})
_HTTP2 = frozenset({Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB})
SERVER_FIRST = frozenset({25, 53, 3306, 27017})
"""Ports whose protocol begins with the server's word, so that waiting for the client's would hang (row PR-04)."""
_CONVENTION = frozenset(
    {"tcp", "udp", "grpc", "http", "http2", "http_proxy", "https", "tls", "mongo", "redis", "mysql"}
)
_KUBERNETES = frozenset({"kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss"})


def says_what(name: str, number: int, transport: str, app_protocol: str | None) -> bool:
    """Whether a port of a Service says what it carries, by Istio's convention for names (row IM-12)."""
    if transport == Protocol.UDP.value or number in SERVER_FIRST or app_protocol in _KUBERNETES:
        return True
    return (name if app_protocol is None else app_protocol).lower().partition("-")[0] in _CONVENTION
