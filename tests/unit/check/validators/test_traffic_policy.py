"""Pools, outliers, TLS, tunnels."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, policy, warnings


@pytest.mark.parametrize(("blocks", "wrong"), [
    ({}, [""]),
    ({"connectionPool": {}}, [".connectionPool"]),
    ({"connectionPool": {"tcp": {"maxConnections": -1, "connectTimeout": "1us", "tcpKeepalive": {"time": "1.5s"}}}},
     [".connectionPool.tcp.maxConnections", ".connectionPool.tcp.connectTimeout", ".connectionPool.tcp.tcpKeepalive.time"]),
    ({"connectionPool": {"tcp": {"idleTimeout": "0s"}, "http": {"idleTimeout": "0s"}}}, []),
    ({"connectionPool": {"http": {"maxRetries": -1, "h2UpgradePolicy": "UPGRADE", "useClientProtocol": True}}},
     [".connectionPool.http.maxRetries", ".connectionPool.http.useClientProtocol"]),
    ({"outlierDetection": {"maxEjectionPercent": 101, "interval": "0s"}}, [".outlierDetection.interval", ".outlierDetection.maxEjectionPercent"]),
    ({"outlierDetection": {"consecutiveLocalOriginFailures": 3}}, [".outlierDetection.consecutiveLocalOriginFailures"]),
    ({"outlierDetection": {"outlierDetectionHttpErrorCodes": [99]}}, [".outlierDetection.outlierDetectionHttpErrorCodes[0]"]),
    ({"tls": {"mode": "MUTUAL"}}, [".tls.clientCertificate", ".tls.privateKey"]),
    ({"tls": {"mode": "MUTUAL", "credentialName": "x"}}, []),
    ({"tls": {"mode": "SIMPLE", "credentialName": "x", "caCertificates": "y", "caCrl": "z"}}, [".tls", ".tls.caCrl"]),
    ({"tls": {"mode": "SIMPLE", "insecureSkipVerify": True, "caCertificates": "y"}}, [".tls.caCertificates"]),
    ({"tls": {"mode": "SIMPLE", "sni": "x" * 255}}, []),
    ({"tls": {"mode": "SIMPLE", "sni": "x" * 256}}, [".tls.sni"]),
    ({"tls": {"mode": "SIMPLE", "subjectAltNames": [""]}}, [".tls.subjectAltNames"]),
    ({"tunnel": {"targetHost": "x.com", "targetPort": 443}}, []),
    ({"tunnel": {"protocol": "GET"}, "proxyProtocol": {}},
     [".tunnel.protocol", ".tunnel.targetHost", ".tunnel.targetPort", ".proxyProtocol"]),
    ({"portLevelSettings": [{"port": {"number": 80}}, {"port": {"number": 80}}]}, [".portLevelSettings"]),
    ({"portLevelSettings": [{}]}, [".portLevelSettings[0].port"]),
    ({"retryBudget": {"percent": 200}}, [".retryBudget.percent"]),
])  # fmt: skip
def test_blocks(blocks: dict[str, Any], wrong: list[str]) -> None:
    assert errors("DestinationRule", policy(**blocks)) == [f"spec.trafficPolicy{w}" for w in wrong]


def test_old_fields() -> None:
    assert warnings("DestinationRule", policy(outlierDetection={"consecutiveErrors": 5})) == [
        "spec.trafficPolicy.outlierDetection.consecutiveErrors"
    ]


@pytest.mark.row("DR-31")
def test_the_interval_of_a_retry_budget_has_no_effect() -> None:
    found = policy(retryBudget={"percent": 10, "budgetInterval": "5s"})
    assert warnings("DestinationRule", found) == ["spec.trafficPolicy.retryBudget.budgetInterval"]
    assert warnings("DestinationRule", policy(retryBudget={"percent": 10})) == []


@pytest.mark.row("DR-46")
def test_files_and_a_secret_exclude_each_other() -> None:
    both = {"mode": "MUTUAL", "credentialName": "c", "clientCertificate": "/c", "privateKey": "/k"}
    assert errors("DestinationRule", policy(tls=both)) == ["spec.trafficPolicy.tls"]
    assert errors("DestinationRule", policy(tls={"mode": "MUTUAL", "clientCertificate": "/c"})) == [
        "spec.trafficPolicy.tls.privateKey"
    ]


@pytest.mark.row("DR-33")
def test_an_upgrade_and_the_client_s_protocol_exclude_each_other() -> None:
    http = {"h2UpgradePolicy": "UPGRADE", "useClientProtocol": True}
    assert errors("DestinationRule", policy(connectionPool={"http": http})) == [
        "spec.trafficPolicy.connectionPool.http.useClientProtocol"
    ]


@pytest.mark.row("DR-26")
def test_keepalive_counts_whole_seconds() -> None:
    tcp = {"tcpKeepalive": {"time": "1.5s", "interval": "10s", "probes": 3}}
    assert errors("DestinationRule", policy(connectionPool={"tcp": tcp})) == [
        "spec.trafficPolicy.connectionPool.tcp.tcpKeepalive.time"
    ]
