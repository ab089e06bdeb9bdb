import pytest
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2

from mizzen.simulate import Call, Speech, Tls
from mizzen.simulate.inspection import Detected, inspect


def inspected(*names: str, timeout: float | None = None, go_on: bool = True) -> listener_pb2.Listener:
    message = listener_pb2.Listener(continue_on_listener_filters_timeout=go_on)
    for name in names:
        message.listener_filters.add(name=f"envoy.filters.listener.{name}")
    if timeout is not None:
        message.listener_filters_timeout.FromMilliseconds(int(timeout * 1000))
    return message


BOTH = inspected("tls_inspector", "http_inspector", timeout=0)
HELLO = Call(port=1, tls=Tls.TLS, sni="A.Test", alpn=("h2", "http/1.1"))


@pytest.mark.parametrize(
    ("listener", "call", "expected"),
    [
        (BOTH, Call(port=1), Detected(protocols=("http/1.1",))),
        (BOTH, Call(port=1, speech=Speech.HTTP2), Detected(protocols=("h2c",))),
        (BOTH, Call(port=1, speech=Speech.TCP), Detected()),
        (BOTH, HELLO, Detected("tls", "a.test", ("h2", "http/1.1"))),
        (inspected("http_inspector"), HELLO, Detected()),
        (inspected("tls_inspector"), Call(port=1), Detected()),
        (inspected(), Call(port=1, speech=Speech.SILENT), Detected()),
        (BOTH, Call(port=1, speech=Speech.SILENT), Detected(waits=True)),
        (inspected("tls_inspector", timeout=5), Call(port=1, speech=Speech.SILENT), Detected()),
        (inspected("tls_inspector", timeout=5, go_on=False), Call(port=1, speech=Speech.SILENT), Detected(waits=True)),
    ],
)
def test_what_is_found(listener: listener_pb2.Listener, call: Call, expected: Detected) -> None:
    assert inspect(listener, call)[0] == expected


def test_a_filter_is_off_where_its_predicate_says_so() -> None:
    off = components.ListenerFilterChainMatchPredicate()
    off.destination_port_range.start, off.destination_port_range.end = 80, 81
    listener = inspected("tls_inspector")
    listener.listener_filters[0].filter_disabled.CopyFrom(off)
    assert inspect(listener, Call(port=80, tls=Tls.TLS))[0].transport == "raw_buffer"
    found, step = inspect(listener, Call(port=81, tls=Tls.TLS))
    assert found.transport == "tls"
    assert step.others == ()
    listener.listener_filters[0].filter_disabled.not_match.CopyFrom(off)
    assert inspect(listener, Call(port=80, tls=Tls.TLS))[0].transport == "tls"
    both = listener.listener_filters[0].filter_disabled
    both.or_match.rules.add().any_match = True
    assert inspect(listener, Call(port=80, tls=Tls.TLS))[0].transport == "raw_buffer"
    both.and_match.rules.extend([off, components.ListenerFilterChainMatchPredicate(any_match=True)])
    assert inspect(listener, Call(port=80, tls=Tls.TLS))[1].others[0].why_not == "switched off for port 80"
