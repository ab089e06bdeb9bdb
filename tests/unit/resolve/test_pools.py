from __future__ import annotations

import pytest

from mizzen.api.destination_rule import ConnectionPoolSettings, TCPSettings
from mizzen.api.sidecar import Sidecar
from mizzen.resolve.pools import Pools
from tests.scenes import Scene

RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec:
  host: web
  trafficPolicy:
    retryBudget: {percent: 40}
    connectionPool: {tcp: {maxConnections: 2}, http: {h2UpgradePolicy: UPGRADE}}
    portLevelSettings: [{port: {number: 81}, connectionPool: {tcp: {maxConnections: 1}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: clients, namespace: shop}
spec: {host: web, workloadSelector: {matchLabels: {app: web}}, trafficPolicy: {connectionPool: {tcp: {maxConnections: 9}}}}
"""


def limit(text: str, port: int = 80, sidecar: Sidecar | None = None, entry: int = 0, **mesh: object) -> int:
    scene = Scene(text, **mesh)
    service = next(s for s in scene.snapshot.services if s.name == "web")
    own = ConnectionPoolSettings(tcp=TCPSettings(max_connections=entry)) if entry else None
    policy = Pools(scene.snapshot, sidecar).of(service, port, own)
    pool = policy.connection_pool if policy is not None else None
    return pool.tcp.max_connections if pool is not None and pool.tcp is not None else 0


@pytest.mark.row("DR-09", "DR-36", "SC-06")
def test_whole_pools_by_precedence() -> None:
    mesh = {"defaultTrafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 8}}}}
    sidecar = Sidecar(inbound_connection_pool=ConnectionPoolSettings(tcp=TCPSettings(max_connections=4)))
    assert limit("") == 0
    assert limit("", **mesh) == 8
    assert limit(RULE, **mesh) == 2
    assert limit(RULE, port=81) == 1
    assert limit(RULE, sidecar=sidecar) == 4
    assert limit(RULE, sidecar=sidecar, entry=3) == 3


@pytest.mark.row("DR-36")
def test_upgrades_are_for_clients_and_the_budget_counts_here_too() -> None:
    scene = Scene(RULE)
    service = next(s for s in scene.snapshot.services if s.name == "web")
    policy = Pools(scene.snapshot, None).of(service, 80)
    assert policy is not None
    assert policy.connection_pool is not None
    assert policy.connection_pool.http is not None
    assert policy.connection_pool.http.h2_upgrade_policy == "DO_NOT_UPGRADE"
    assert policy.retry_budget is not None
    other = Pools(scene.snapshot, None).of(service, 81)
    assert other is not None
    assert other.retry_budget is None
