import pytest
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2

from mizzen.simulate import Call
from mizzen.simulate.filter_chains import choose
from mizzen.simulate.inspection import TLS, Detected


def chain(name: str, port: int = 0, ranges: tuple[str, ...] = (), **match: object) -> components.FilterChain:
    message = components.FilterChain(name=name)
    message.filter_chain_match.CopyFrom(components.FilterChainMatch(**match))
    if port:
        message.filter_chain_match.destination_port.value = port
    for text in ranges:
        address, _, length = text.partition("/")
        entry = message.filter_chain_match.prefix_ranges.add(address_prefix=address)
        entry.prefix_len.value = int(length)
    return message


PLAIN = Detected()


def chosen(chains: list[components.FilterChain], call: Call, detected: Detected = PLAIN, default: str = "") -> str:
    listener = listener_pb2.Listener(filter_chains=chains)
    if default:
        listener.default_filter_chain.name = default
    found, step = choose(listener, call, detected)
    assert (found.name if found else "") == step.chosen
    return step.chosen


def test_the_destination_port_goes_first_and_there_is_no_way_back() -> None:
    chains = [chain("port", 80, transport_protocol="tls"), chain("any")]
    assert chosen(chains, Call(port=80), Detected(TLS)) == "port"
    assert chosen(chains, Call(port=81)) == "any"
    # The chain for the port has left the other behind, though in the end it does not fit.
    assert chosen(chains, Call(port=80)) == ""
    assert chosen(chains, Call(port=80), default="default") == "default"


def test_the_longest_range_takes_the_address() -> None:
    chains = [
        chain("wide", ranges=("10.0.0.0/8",)),
        chain("narrow", ranges=("10.1.0.0/16", "192.0.2.0/24")),
        chain("any"),
    ]
    assert chosen(chains, Call(port=1, address="10.1.2.3")) == "narrow"
    assert chosen(chains, Call(port=1, address="10.2.2.3")) == "wide"
    assert chosen(chains, Call(port=1, address="11.0.0.1")) == "any"
    assert chosen(chains, Call(port=1, address="fd00::1")) == "any"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.b.test", "exact"),
        ("x.b.test", "near"),
        ("x.y.b.test", "near"),
        ("b.test", "far"),
        ("test", "any"),
        ("", "any"),
    ],
)
def test_server_names(name: str, expected: str) -> None:
    chains = [
        chain("far", server_names=["*.test"]),
        chain("near", server_names=["*.b.test"]),
        chain("exact", server_names=["a.b.test", "other"]),
        chain("any"),
    ]
    assert chosen(chains, Call(port=1), Detected(TLS, name)) == expected


def test_the_order_of_the_clients_offer_decides() -> None:
    chains = [chain("h1", application_protocols=["http/1.1"]), chain("h2", application_protocols=["h2"]), chain("any")]
    assert chosen(chains, Call(port=1), Detected(TLS, protocols=("h2", "http/1.1"))) == "h2"
    assert chosen(chains, Call(port=1), Detected(TLS, protocols=("x", "http/1.1", "h2"))) == "h1"
    assert chosen(chains, Call(port=1), Detected(TLS, protocols=("x",))) == "any"


def test_sources() -> None:
    external, local = components.FilterChainMatch.EXTERNAL, components.FilterChainMatch.SAME_IP_OR_LOOPBACK
    chains = [chain("external", source_type=external), chain("local", source_type=local)]
    assert chosen(chains, Call(port=1, source="127.0.0.1")) == "local"
    assert chosen(chains, Call(port=1, address="10.0.0.1", source="10.0.0.1")) == "local"
    assert chosen(chains, Call(port=1, source="10.0.0.1")) == "external"
    assert chosen(chains, Call(port=1, source="127.0.0.2")) == "external"
    by_port = [chain("port", source_ports=[7]), chain("any")]
    assert chosen(by_port, Call(port=1, source_port=7)) == "port"
    assert chosen(by_port, Call(port=1, source_port=8)) == "any"
    near = chain("near")
    near.filter_chain_match.source_prefix_ranges.add(address_prefix="10.0.0.0").prefix_len.value = 8
    direct = chain("direct")
    direct.filter_chain_match.direct_source_prefix_ranges.add(address_prefix="10.1.0.0").prefix_len.value = 16
    assert chosen([near, direct], Call(port=1, source="10.2.0.1")) == "near"
    assert chosen([near, direct], Call(port=1, source="10.1.0.1")) == "direct"


def test_each_chain_that_lost_says_why() -> None:
    chains = [
        chain("tls", transport_protocol="tls"),
        chain("port", 81),
        chain("plain", transport_protocol="raw_buffer"),
    ]
    _, step = choose(listener_pb2.Listener(filter_chains=chains), Call(port=80), Detected())
    assert step.why == "fits: transport protocol raw_buffer"
    assert [(c.name, c.why_not) for c in step.others] == [
        ("port", "wants destination port 81, the connection has 80"),
        ("tls", "wants transport protocol tls, the connection has raw_buffer"),
    ]
    _, step = choose(listener_pb2.Listener(filter_chains=[chain("any"), chain("port", 80)]), Call(port=80), Detected())
    assert step.others[0].why_not == "another chain is more specific about the destination port"
