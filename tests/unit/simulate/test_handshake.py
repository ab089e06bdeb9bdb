import pytest
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from google.protobuf.wrappers_pb2 import StringValue

from mizzen.simulate import Call, Failure, Tls
from mizzen.simulate.handshake import ends_tls, handshake


def tls(*, mutual: bool) -> components.FilterChain:
    context = tls_pb2.DownstreamTlsContext()
    context.require_client_certificate.value = mutual
    context.common_tls_context.tls_certificate_sds_secret_configs.add(name="default")
    chain = components.FilterChain()
    chain.transport_socket.name = "tls"
    chain.transport_socket.typed_config.Pack(context)
    return chain


@pytest.mark.parametrize(
    ("chain", "kind", "error"),
    [
        (components.FilterChain(), Tls.PLAIN, None),
        (components.FilterChain(), Tls.TLS, None),
        (tls(mutual=False), Tls.PLAIN, Failure.TLS),
        (tls(mutual=False), Tls.TLS, None),
        (tls(mutual=False), Tls.FOREIGN, None),
        (tls(mutual=True), Tls.PLAIN, Failure.TLS),
        (tls(mutual=True), Tls.TLS, Failure.MUTUAL_TLS),
        (tls(mutual=True), Tls.FOREIGN, Failure.MUTUAL_TLS),
        (tls(mutual=True), Tls.MUTUAL, None),
    ],
)
def test_who_may_come_in(chain: components.FilterChain, kind: Tls, error: Failure | None) -> None:
    assert handshake(chain, Call(port=1, tls=kind))[0] is error


def test_a_socket_of_another_sort_is_not_guessed_at() -> None:
    chain = tls(mutual=True)
    chain.transport_socket.typed_config.Pack(StringValue())
    assert ends_tls(chain)
    assert handshake(chain, Call(port=1))[0] is Failure.UNKNOWN
    assert not ends_tls(components.FilterChain())


def test_the_certificate_is_named() -> None:
    assert "with default" in handshake(tls(mutual=True), Call(port=1, tls=Tls.MUTUAL))[1].why
