from __future__ import annotations

import pytest

from mizzen.model.protocol import Protocol
from mizzen.resolve.ports import of_service_port


@pytest.mark.row("PR-01", "PR-02", "PR-04", "PR-05")
@pytest.mark.parametrize(
    ("name", "number", "transport", "app_protocol", "expected"),
    [
        ("http", 80, "TCP", None, Protocol.HTTP),
        ("HTTP2-web", 80, "TCP", None, Protocol.HTTP2),
        ("grpc-web-x", 80, "TCP", None, Protocol.GRPC_WEB),
        ("grpc-x", 80, "TCP", None, Protocol.GRPC),
        ("httpx", 80, "TCP", None, Protocol.UNSUPPORTED),
        ("", 9000, "TCP", None, Protocol.UNSUPPORTED),
        ("", 3306, "TCP", None, Protocol.TCP),
        ("http", 3306, "TCP", None, Protocol.HTTP),
        ("tcp-x", 80, "TCP", "http", Protocol.HTTP),
        ("http", 80, "TCP", "acme.example/own", Protocol.UNSUPPORTED),
        ("http", 80, "TCP", "kubernetes.io/h2c", Protocol.HTTP2),
        ("x", 80, "TCP", "kubernetes.io/wss", Protocol.HTTPS),
        ("http", 80, "UDP", None, Protocol.UDP),
        ("tcp-x", 80, "TCP", "grpc-web-mine", Protocol.GRPC_WEB),
        ("tcp", 80, "TCP", "HTTP2", Protocol.HTTP2),
        ("tcp", 80, "TCP", "kubernetes.io/ws", Protocol.HTTP),
        ("https", 80, "TCP", None, Protocol.HTTPS),
        ("tls-x", 80, "TCP", None, Protocol.TLS),
        ("TCP", 80, "TCP", None, Protocol.TCP),
        ("mongo", 80, "TCP", None, Protocol.MONGO),
        ("redis-a-b", 80, "TCP", None, Protocol.REDIS),
        ("mysql", 80, "TCP", None, Protocol.MYSQL),
        ("udp", 80, "TCP", None, Protocol.UDP),
        ("", 25, "TCP", None, Protocol.TCP),
        ("", 53, "TCP", None, Protocol.TCP),
        ("", 27017, "TCP", None, Protocol.TCP),
        ("tcpx", 3306, "TCP", None, Protocol.TCP),
        ("", 3306, "TCP", "acme.example/own", Protocol.TCP),
    ],
)
def test_the_protocol_of_a_port(
    name: str, number: int, transport: str, app_protocol: str | None, expected: Protocol
) -> None:
    assert of_service_port(name, number, transport, app_protocol) is expected
