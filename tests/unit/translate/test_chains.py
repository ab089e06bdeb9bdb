from __future__ import annotations

import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode
from mizzen.translate.chains import ALPN_MESH, ALPN_MESH_HTTP, ALPN_MESH_TCP, ALPN_PLAIN_HTTP, shapes

S, P, D = MtlsMode.STRICT, MtlsMode.PERMISSIVE, MtlsMode.DISABLE
HTTP, TCP, ANY = Protocol.HTTP, Protocol.TCP, Protocol.UNSUPPORTED

TABLE = {
    (P, HTTP): [("tls", ALPN_MESH, "http", True), ("raw_buffer", (), "http", False)],
    (S, HTTP): [("tls", (), "http", True)],
    (D, HTTP): [("raw_buffer", (), "http", False)],
    (P, TCP): [("tls", ALPN_MESH, "tcp", True), ("tls", (), "tcp", False), ("raw_buffer", (), "tcp", False)],
    (S, TCP): [("tls", (), "tcp", True)],
    (D, TCP): [("raw_buffer", (), "tcp", False)],
    (P, ANY): [
        ("tls", ALPN_MESH_HTTP, "http", True),
        ("raw_buffer", ALPN_PLAIN_HTTP, "http", False),
        ("tls", ALPN_MESH_TCP, "tcp", True),
        ("raw_buffer", (), "tcp", False),
        ("tls", (), "tcp", False),
    ],
    (S, ANY): [("tls", ALPN_MESH_HTTP, "http", True), ("tls", (), "tcp", True)],
    (D, ANY): [("raw_buffer", ALPN_PLAIN_HTTP, "http", False), ("raw_buffer", (), "tcp", False)],
}


@pytest.mark.row("PA-01", "PA-02", "PA-03", "IL-01")
@pytest.mark.parametrize(("mode", "protocol"), TABLE)
def test_the_chains_of_a_port(mode: MtlsMode, protocol: Protocol) -> None:
    found = [(s.transport, s.alpn, "http" if s.http else "tcp", s.mtls) for s in shapes(mode, protocol)]
    assert found == TABLE[mode, protocol]


@pytest.mark.parametrize(
    ("like", "protocol"), [(HTTP, Protocol.GRPC), (HTTP, Protocol.HTTP2), (TCP, Protocol.HTTPS), (TCP, Protocol.TLS)]
)
def test_protocols_that_look_alike(like: Protocol, protocol: Protocol) -> None:
    assert all(shapes(mode, protocol) == shapes(mode, like) for mode in MtlsMode)
