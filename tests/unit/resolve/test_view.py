"""Who shares a view: equal proxies do, and a label that nothing reads separates nobody."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mizzen.model.config import Config
from mizzen.resolve import build, view
from tests.meshes import rule, service, sidecar

PORTS = [{"name": "http", "port": 80}]


def test_a_label_that_nothing_reads_separates_nobody() -> None:
    snapshot = build(Config().with_objects([service("web", "a", 1, PORTS)]))
    assert view(snapshot, sidecar(1, "b", x="1")).scope is view(snapshot, sidecar(2, "b", x="2")).scope


@pytest.mark.row("DR-04")
def test_a_label_that_a_rule_selects_by_does() -> None:
    selects = rule("r", "b", host="web.a.svc.cluster.local", workloadSelector={"matchLabels": {"x": "1"}})
    snapshot = build(Config().with_objects([service("web", "a", 1, PORTS), selects]))
    one, two = view(snapshot, sidecar(1, "b", x="1")).scope, view(snapshot, sidecar(2, "b", x="2")).scope
    assert (len(one.destination_rules), len(two.destination_rules)) == (1, 0)


@pytest.mark.row("LO-02", "LO-05")
def test_the_node_separates_clients_where_a_service_prefers_the_own_node() -> None:
    proxies = [replace(sidecar(number, "b"), node_name=f"n{number}") for number in (1, 2)]
    plain = build(Config().with_objects([service("web", "a", 1, PORTS)]))
    assert len({id(view(plain, proxy).scope) for proxy in proxies}) == 1
    node = build(Config().with_objects([service("web", "a", 1, PORTS, trafficDistribution="PreferSameNode")]))
    assert [view(node, proxy).scope.labels for proxy in proxies] == [
        {"kubernetes.io/hostname": "n1"},
        {"kubernetes.io/hostname": "n2"},
    ]


def test_an_unchanged_inbound_side_stays_the_same_object() -> None:
    first = build(Config().with_objects([service("web", "a", 1, PORTS)]))
    before = view(first, sidecar(1, "a"))
    second = build(first.config.with_objects([rule("r", "a", host="web")]), first)
    assert view(second, sidecar(1, "a"), before).inbound is before.inbound
