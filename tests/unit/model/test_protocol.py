"""Which protocols are carried how."""

import pytest

from mizzen.model.protocol import Protocol, says_what


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


@pytest.mark.parametrize(
    ("name", "number", "transport", "app_protocol", "said"),
    [
        ("http", 80, "TCP", None, True),
        ("GRPC-Web-x", 80, "", None, True),
        ("http_proxy", 80, "TCP", None, True),
        ("foo", 80, "TCP", None, False),
        ("", 3306, "TCP", None, True),
        ("foo", 80, "UDP", None, True),
        ("foo", 80, "TCP", "kubernetes.io/h2c", True),
        ("kubernetes.io/h2c", 80, "TCP", None, False),
        ("http", 80, "TCP", "foo", False),
        ("http", 80, "TCP", "", False),
    ],
)
def test_ports_that_say_what_they_carry(
    name: str, number: int, transport: str, app_protocol: str | None, said: bool
) -> None:
    assert says_what(name, number, transport, app_protocol) is said
