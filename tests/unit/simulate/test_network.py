import pytest
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.extensions.filters.network.echo.v3 import echo_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from google.protobuf.message import Message

from mizzen.model.resources import ResourceSet
from mizzen.simulate import Call, Failure, Speech, Tls
from mizzen.simulate.network import serve
from mizzen.simulate.reading import Reading
from mizzen.simulate.walk import Walk


def walked(*filters: tuple[str, Message], call: Call, ends: bool = False) -> Walk:
    chain = components.FilterChain()
    if ends:
        chain.transport_socket.name = "tls"
    for name, message in filters:
        chain.filters.add(name=name).typed_config.Pack(message)
    walk = Walk()
    serve(chain, call, Reading(ResourceSet()), walk)
    return walk


def test_a_tcp_proxy_takes_everything() -> None:
    proxy = tcp_proxy_pb2.TcpProxy(cluster="a")
    walk = walked(("envoy.filters.network.rbac", echo_pb2.Echo()), ("tcp", proxy), call=Call(port=1))
    assert [t.cluster for t in walk.targets] == ["a"]
    assert [c.name for c in walk.steps[0].others] == ["envoy.filters.network.rbac"]
    weighted = tcp_proxy_pb2.TcpProxy()
    for name, weight in (("a", 1), ("b", 3)):
        weighted.weighted_clusters.clusters.add(name=name, weight=weight)
    assert [t.share for t in walked(("tcp", weighted), call=Call(port=1)).targets] == [0.25, 0.75]


@pytest.mark.parametrize(
    ("call", "ends", "error"),
    [
        (Call(port=1, speech=Speech.TCP), False, Failure.PROTOCOL),
        (Call(port=1, tls=Tls.TLS), False, Failure.PROTOCOL),
        (Call(port=1, tls=Tls.TLS, speech=Speech.TCP), True, Failure.PROTOCOL),
        (Call(port=1, tls=Tls.TLS), True, Failure.NO_VIRTUAL_HOST),
        (Call(port=1), False, Failure.NO_VIRTUAL_HOST),
    ],
)
def test_a_connection_manager_takes_http_only(call: Call, ends: bool, error: Failure) -> None:
    manager = hcm_pb2.HttpConnectionManager()
    manager.route_config.name = "empty"
    assert walked(("http", manager), call=call, ends=ends).error is error


def test_another_end_is_not_guessed_at() -> None:
    assert walked(("envoy.filters.network.echo", echo_pb2.Echo()), call=Call(port=1)).error is Failure.UNKNOWN
    assert "nothing" in walked(call=Call(port=1)).steps[0].why
