"""Which protocols are carried how."""

import pytest

from mizzen.model.protocol import Protocol


@pytest.mark.parametrize(
    ("protocol", "http", "http2", "tls", "tcp"),
    [
        (Protocol.HTTP, True, False, False, False),
        (Protocol.GRPC_WEB, True, True, False, False),
        (Protocol.HTTPS, False, False, True, True),
        (Protocol.TCP, False, False, False, True),
        (Protocol.UNSUPPORTED, False, False, False, False),
        (Protocol.UDP, False, False, False, False),
    ],
)
def test_kinds(protocol: Protocol, http: bool, http2: bool, tls: bool, tcp: bool) -> None:
    assert (protocol.is_http, protocol.is_http2, protocol.is_tls, protocol.is_tcp) == (http, http2, tls, tcp)
