"""What the hub does with a Config: the newest snapshot, what was built from it, and what it counts."""

from __future__ import annotations

import pytest
from envoy.config.core.v3 import base_pb2

from mizzen.controlplane import compiler
from mizzen.model.config import Config
from mizzen.model.resources import LISTENER
from mizzen.observe import Metrics
from mizzen.server.hub import Compiler, Connection, Hub
from mizzen.server.node import Node
from mizzen.xds import Session
from tests.scenes import Scene
from tests.unit.translate.test_gateway_conflicts import OLD, YOUNG

NODE = "router~10.1.0.20~edge-0.istio-system~istio-system.svc.cluster.local"


def connection() -> Connection:
    return Connection(Node.parse(base_pb2.Node(id=NODE)), Session(), None, 0.0)


def rejected(metrics: Metrics) -> list[str]:
    return [line for line in metrics.text().decode().splitlines() if line.startswith("pilot_total_rejected_configs{")]


@pytest.mark.row("GW-25")
def test_what_is_left_out_is_counted_by_its_owner_until_it_is_mended() -> None:
    metrics = Metrics()
    hub = Hub(compiler(), metrics)
    hub.publish(Scene(OLD + YOUNG).config)
    edge = connection()
    assert hub.current is not None
    assert hub.resources(edge, hub.current) is not None
    assert rejected(metrics) == ['pilot_total_rejected_configs{name="bank/young",type="gateway"} 1.0']
    assert {finding.name for finding in hub.findings()} == {"young"}
    hub.publish(Scene(OLD).config)
    assert hub.resources(edge, hub.current) is not None
    assert rejected(metrics) == []


def test_proxies_of_equal_views_share_what_was_built_and_a_failure_keeps_the_last() -> None:
    core = compiler()
    hub = Hub(core, Metrics())
    assert hub.config is None
    assert hub.findings() == set()
    hub.publish(Scene(OLD).config)
    first = hub.current
    assert first is not None
    assert hub.resources(connection(), first) is hub.resources(connection(), first)

    def broken(*_: object) -> Config:
        raise ValueError("no")

    hub._compiler = Compiler(broken, core.view, core.resources)  # type: ignore[arg-type]
    hub.publish(Scene().config)
    assert hub.current is first
    assert "ValueError: no" in hub.error
    made = hub.resources(connection(), first)
    assert made is not None
    assert "0.0.0.0_8443" in made.get(LISTENER)
