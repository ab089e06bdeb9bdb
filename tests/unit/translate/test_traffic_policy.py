"""Which blocks of a rule count."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.translate.traffic_policy import NONE, for_port, for_subset
from tests.meshes import rule

TOP: dict[str, Any] = {
    "loadBalancer": {"simple": "RANDOM"},
    "connectionPool": {"tcp": {"maxConnections": 1}},
    "retryBudget": {"percent": 5},
    "portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "DISABLE"}}],
}


@pytest.mark.row("DR-08")
def test_a_port_entry_leaves_nothing_of_the_rest() -> None:
    body = rule("r", "a", host="x", trafficPolicy=TOP).body
    found = for_port(body.traffic_policy, 80)
    assert found.tls is not None
    assert (found.load_balancer, found.connection_pool, found.retry_budget) == (None, None, None)
    assert for_port(body.traffic_policy, 81) is body.traffic_policy
    assert for_port(None, 80) is NONE


@pytest.mark.row("DR-07")
def test_a_subset_inherits_what_counts_for_the_port() -> None:
    own = {"connectionPool": {"tcp": {"maxConnections": 9}}}
    entry = {**own, "portLevelSettings": [{"port": {"number": 81}, "loadBalancer": {"simple": "ROUND_ROBIN"}}]}
    body = rule(
        "r",
        "a",
        host="x",
        trafficPolicy=TOP,
        subsets=[{"name": "own", "trafficPolicy": own}, {"name": "entry", "trafficPolicy": entry}, {"name": "none"}],
    ).body
    first, second, third = body.subsets
    found = for_subset(body, first, 81)
    assert (found.connection_pool.tcp.max_connections, found.load_balancer.simple) == (9, "RANDOM")
    assert for_subset(body, first, 80).tls is not None
    found = for_subset(body, second, 81)
    assert (found.connection_pool, found.load_balancer.simple, found.retry_budget.percent) == (None, "ROUND_ROBIN", 5)
    assert for_subset(body, third, 81) == body.traffic_policy
