"""Which protocols are carried how."""

import pytest

from mizzen.model.protocol import Protocol


@pytest.mark.parametrize(
    ("protocol", "http", "http2", "tls"),
    [
        (Protocol.HTTP, True, False, False),
        (Protocol.GRPC_WEB, True, True, False),
        (Protocol.HTTPS, False, False, True),
        (Protocol.TCP, False, False, False),
        (Protocol.UNSUPPORTED, False, False, False),
        (Protocol.UDP, False, False, False),
    ],
)
def test_kinds(protocol: Protocol, http: bool, http2: bool, tls: bool) -> None:
    assert (protocol.is_http, protocol.is_http2, protocol.is_tls) == (http, http2, tls)
