"""Tags whose values a Telemetry gives."""

import pytest

from mizzen.translate.filters import Direction
from mizzen.translate.metric_tags import outermost, value


@pytest.mark.row("TM-04")
@pytest.mark.parametrize(
    ("expression", "direction", "expected"),
    [
        ("request.host", Direction.OUTBOUND, "%CEL(request.host)%"),
        ("string(destination.port)", Direction.INBOUND, "%CEL(destination.port)%"),
        ("int(response.code)%2 == 0", Direction.INBOUND, "%CEL(int(response.code) %2 == 0)%"),
        ("has(a.b) ? (c):1", Direction.INBOUND, "%CEL(has(a.b) ? (c) :1)%"),
        ("downstream_peer.workload", Direction.INBOUND, "%CEL(filter_state['mizzen.peer.workload'])%"),
        (
            "filter_state.upstream_peer.labels['app'].value",
            Direction.GATEWAY,
            "%CEL(xds.upstream_host_metadata.filter_metadata['istio']['app'])%",
        ),
        (
            "upstream_peer.namespace",
            Direction.OUTBOUND,
            "%CEL(xds.upstream_host_metadata.filter_metadata['istio']['workload_namespace'])%",
        ),
        ("upstream_peer.app", Direction.INBOUND, "%CEL(filter_state.nothing)%"),
        ("upstream_peer.labels['team']", Direction.OUTBOUND, "%CEL(filter_state.nothing)%"),
    ],
)
def test_value(expression: str, direction: Direction, expected: str) -> None:
    assert value(expression, direction) == expected


def test_the_outermost_conversion_is_not_needed() -> None:
    assert outermost("string(a.b)") == "a.b"
    assert outermost("a == string(b)") == "a == string(b)"
