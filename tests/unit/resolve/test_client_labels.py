"""Which labels of a client tell it apart from others."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build
from mizzen.resolve.client_labels import labels_read
from tests.meshes import NETWORKING, new, routes, rule, service

PORTS = [{"name": "http", "port": 80}]


def _read(*objects: Object) -> set[str]:
    return set(labels_read(build(Config().with_objects([service("web", "a", 1, PORTS), *objects]))))


def _balanced(**setting: Any) -> Object:
    return rule("r", "a", host="web", trafficPolicy={"loadBalancer": setting})


@pytest.mark.row("VS-23")
def test_selectors_and_source_labels() -> None:
    assert _read() == set()
    match = [{"sourceLabels": {"team": "x"}}]
    route = routes("r", "a", hosts=["web"], http=[{"match": match, "route": [{"destination": {"host": "web"}}]}])
    assert _read(route) == {"team"}
    assert _read(rule("r", "a", host="web", workloadSelector={"matchLabels": {"tier": "1"}})) == {"tier"}
    sidecar = new(NETWORKING, "Sidecar", "a", "s", {"workloadSelector": {"labels": {"app": "x"}}})
    assert _read(sidecar) == {"app"}


@pytest.mark.row("LO-05")
def test_what_orders_endpoints() -> None:
    assert _read(_balanced(localityLbSetting={"failoverPriority": ["version=v1", "rack"]})) == {"version", "rack"}
    assert _read(_balanced(zoneAwareLbSetting={"failoverPriority": ["rack"]})) == {"rack"}


@pytest.mark.row("LO-02")
def test_the_node_counts_only_where_a_service_asks_for_it() -> None:
    close = service("near", "a", 2, PORTS, trafficDistribution="PreferClose")
    assert _read(close) == {"topology.istio.io/network"}
    same = service("near", "a", 2, PORTS, trafficDistribution="PreferSameNode")
    assert _read(same) == {"topology.istio.io/network", "kubernetes.io/hostname"}
