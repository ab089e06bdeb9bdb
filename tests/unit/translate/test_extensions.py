"""Where the filters of extensions stand; goldens have the whole order."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.model.extension import Phase
from mizzen.resolve.extensions import extensions
from mizzen.translate import extensions as placing
from mizzen.translate.filters import Direction
from tests.meshes import new

API = "extensions.istio.io/v1alpha1"


def placed(**spec: Any) -> placing.Placed:
    obj = new(API, "WasmPlugin", "a", "p", {"url": "file:///x", **spec})
    return extensions({("a", "p"): obj}, {}, "root")


def on(match: list[dict[str, Any]], direction: Direction, port: int) -> bool:
    return bool(placing.on(placed(match=match), direction, port))


@pytest.mark.row("WP-09")
def test_entries_are_alternatives_and_mode_and_ports_of_one_count_together() -> None:
    match = [{"mode": "SERVER", "ports": [{"number": 80}]}, {"mode": "CLIENT", "ports": [{"number": 90}]}]
    assert on(match, Direction.INBOUND, 80)
    assert not on(match, Direction.INBOUND, 90)
    assert on(match, Direction.OUTBOUND, 90)
    assert on(match, Direction.GATEWAY, 90), "a gateway is a client"
    assert not on(match, Direction.OUTBOUND, 0)


@pytest.mark.row("WP-09")
@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("match", [[], [{}], [{"mode": "UNDEFINED"}], [{"mode": "CLIENT_AND_SERVER"}]])
def test_what_says_nothing_takes_every_listener(match: list[dict[str, Any]], direction: Direction) -> None:
    assert on(match, direction, 0)


@pytest.mark.row("WP-10")
def test_a_network_plugin_is_no_http_filter() -> None:
    bytes_ = placed(type="NETWORK")
    assert placing.http(bytes_, Phase.UNSPECIFIED) == []
    (entry,) = placing.network(bytes_, Phase.UNSPECIFIED)
    filters = "type.googleapis.com/envoy.extensions.filters.network"
    assert list(entry.config_discovery.type_urls) == [f"{filters}.wasm.v3.Wasm", f"{filters}.rbac.v3.RBAC"]
    assert placing.network(placed(), Phase.UNSPECIFIED) == []
