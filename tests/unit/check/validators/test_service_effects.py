"""What a Service asks for that proxies do not do."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.check import refused, validate
from tests.meshes import new

PORTS = [{"name": "http", "port": 80}]


def told(meta: dict[str, Any] | None = None, **spec: Any) -> list[tuple[str, str]]:
    obj = new("v1", "Service", "shop", "web", {"clusterIP": "10.96.0.1", "ports": PORTS, **spec}, meta=meta or {})
    findings = validate(obj)
    assert not refused(findings)
    return [(finding.field, finding.message) for finding in findings]


@pytest.mark.row("OL-14", "OL-16")
def test_what_has_no_effect_is_told() -> None:
    assert told(internalTrafficPolicy="Local") == [
        ("spec.internalTrafficPolicy", "has no effect: proxies call the endpoints of every node")
    ]
    assert told(sessionAffinity="ClientIP") == [
        ("spec.sessionAffinity", "has no effect: use consistentHash of a DestinationRule")
    ]
    assert told(internalTrafficPolicy="Cluster", sessionAffinity="None") == []


@pytest.mark.row("OL-17")
@pytest.mark.parametrize("label", ["istio.io/persistent-session", "istio.io/persistent-session-header"])
def test_persistent_sessions_are_told(label: str) -> None:
    assert [message for _, message in told({"labels": {label: "cookie"}})] == [
        "has no effect: there are no persistent sessions"
    ]


@pytest.mark.row("PR-07")
@pytest.mark.parametrize(
    ("port", "warned"),
    [
        ({"name": "mongo", "port": 27017}, True),
        ({"name": "mongo-db", "port": 27017}, True),
        ({"name": "x", "port": 1, "appProtocol": "mongo"}, True),
        ({"name": "redis", "port": 6379}, False),
        ({"name": "mongo", "port": 1, "appProtocol": "tcp"}, False),
    ],
)
def test_mongo_is_bytes(port: dict[str, Any], warned: bool) -> None:
    assert bool(told(ports=[port])) is warned
