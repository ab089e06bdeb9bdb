from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from mizzen.cli.proxyconfig.endpoints import address_of, row
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh

Cells = Callable[[str], list[list[str]]]


@pytest.mark.row("IX-13")
def test_endpoints(proxy: FakeMesh, mizzen: Mizzen, cells: Cells) -> None:
    name = "outbound|9080||reviews.default.svc.cluster.local"
    assert cells(mizzen("pc", "endpoints", "p").out) == [
        ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
        ["10.255.0.10:9080", "HEALTHY", "OK", name],
        ["10.255.0.9:9080", "HEALTHY", "FAILED", name],
    ]
    filtered = json.loads(mizzen("pc", "ep", "p", "--address", "10.255.0.9", "--status", "healthy", "-o", "json").out)
    assert [len(status["host_statuses"]) for status in filtered] == [1]
    assert mizzen("pc", "ep", "p", "--cluster", "reviews", "-o", "json").out == "[]\n"


def test_what_has_no_port_is_shown_by_its_name() -> None:
    assert address_of({"address": {"pipe": {"path": "/run/x"}}}) == ("unix:///run/x", 0)
    inner = {"address": {"envoy_internal_address": {"server_listener_name": "l", "endpoint_id": "e"}}}
    assert row("c", inner) == ("envoy://l/e", "UNKNOWN", "OK", "c")


def test_an_address_of_version_six_stands_in_brackets() -> None:
    host = {"address": {"socket_address": {"address": "fd00::1", "port_value": 80}}}
    assert row("c", host)[0] == "[fd00::1]:80"
