import pytest
from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_pb2

from mizzen.simulate import Call, Entry
from mizzen.simulate.listeners import choose


def listener(name: str, address: str, port: int, *, bound: bool = False, **more: object) -> listener_pb2.Listener:
    message = listener_pb2.Listener(name=name, **more)
    message.address.socket_address.address, message.address.socket_address.port_value = address, port
    message.bind_to_port.value = bound
    return message


CAPTURE = listener("virtualOutbound", "0.0.0.0", 15001, bound=True, traffic_direction=base_pb2.OUTBOUND)
CAPTURE.use_original_dst.value = True
INBOUND = listener("virtualInbound", "0.0.0.0", 15006, bound=True, traffic_direction=base_pb2.INBOUND)
INBOUND.listener_filters.add(name="envoy.filters.listener.original_dst")
EXACT = listener("10.0.0.1_80", "10.0.0.1", 80)
SHARED = listener("0.0.0.0_80", "0.0.0.0", 80)
DUAL = listener("dual", "0.0.0.0", 90)
DUAL.additional_addresses.add().address.socket_address.address = "::"
DUAL.additional_addresses[0].address.socket_address.port_value = 90
HELD = [EXACT, SHARED, DUAL, CAPTURE, INBOUND]


@pytest.mark.parametrize(
    ("address", "port", "entry", "name"),
    [
        ("10.0.0.1", 80, Entry.OUTBOUND, "10.0.0.1_80"),
        ("10.0.0.2", 80, Entry.OUTBOUND, "0.0.0.0_80"),
        ("10.0.0.1", 81, Entry.OUTBOUND, "virtualOutbound"),
        ("fd00::1", 80, Entry.OUTBOUND, "virtualOutbound"),
        ("fd00::1", 90, Entry.OUTBOUND, "dual"),
        ("10.0.0.1", 80, Entry.INBOUND, "virtualInbound"),
        ("10.0.0.1", 15001, Entry.DIRECT, "virtualOutbound"),
    ],
)
def test_the_exact_address_goes_before_every_address(address: str, port: int, entry: Entry, name: str) -> None:
    found, step = choose(HELD, Call(port=port, address=address, entry=entry))
    assert found is not None
    assert found.name == step.chosen == name


def test_a_listener_that_binds_no_port_cannot_be_dialled() -> None:
    found, step = choose(HELD, Call(port=80, address="10.0.0.1", entry=Entry.DIRECT))
    assert found is None
    assert step.why == "the proxy does not listen on port 80"


def test_a_proxy_without_a_capture_listener_takes_nothing() -> None:
    found, step = choose([EXACT], Call(port=80, address="10.0.0.1"))
    assert found is None
    assert "no listener for captured outbound" in step.why


def test_the_others_of_the_port_are_told() -> None:
    _, step = choose(HELD, Call(port=80, address="10.0.0.1"))
    assert [(c.name, c.why_not) for c in step.others] == [
        ("0.0.0.0_80", "it listens of every address and the exact address goes first")
    ]
    _, step = choose(HELD, Call(port=80, address="10.0.0.9"))
    assert [(c.name, c.why_not) for c in step.others] == [("10.0.0.1_80", "it listens at 10.0.0.1")]
