"""AuthorizationPolicy."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings


@pytest.mark.row("AP-04")
@pytest.mark.parametrize(("spec", "wrong"), [
    ({}, []),
    ({"rules": [{}]}, []),
    ({"action": "DENY"}, ["spec.rules"]),
    ({"action": "AUDIT"}, ["spec.rules"]),
    ({"action": "CUSTOM", "rules": [{}]}, ["spec.provider.name"]),
    ({"action": "CUSTOM", "provider": {"name": "x"}, "rules": [{}]}, []),
    ({"provider": {"name": "x"}}, ["spec.provider"]),
    ({"selector": {"matchLabels": {"": "x"}}}, ["spec.selector"]),
])  # fmt: skip
def test_actions(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("AuthorizationPolicy", spec) == wrong


@pytest.mark.parametrize(("source", "wrong"), [
    ({"principals": ["a"], "namespaces": ["b"]}, []),
    ({}, [""]),
    ({"notPrincipals": ["a", ""]}, [".notPrincipals[1]"]),
    ({"ipBlocks": ["1.2.3.4", "10.0.0.0/8", "x"]}, [".ipBlocks[2]"]),
    ({"serviceAccounts": ["a", "n/a"]}, []),
    ({"serviceAccounts": ["a/b/c", "*"]}, [".serviceAccounts[0]", ".serviceAccounts[1]"]),
    ({"serviceAccounts": ["a"], "principals": ["b"]}, [""]),
    ({"trustDomains": ["a/b"]}, [".trustDomains[0]"]),
])  # fmt: skip
def test_sources(source: dict[str, Any], wrong: list[str]) -> None:
    spec = {"rules": [{"from": [{"source": source}]}]}
    assert errors("AuthorizationPolicy", spec) == [f"spec.rules[0].from[0].source{w}" for w in wrong]


@pytest.mark.row("AP-10")
def test_a_principal_with_its_scheme_matches_nobody_and_is_told() -> None:
    source = {"principals": ["cluster.local/ns/a/sa/b", "spiffe://cluster.local/ns/a/sa/b"]}
    spec = {"rules": [{"from": [{"source": source}]}]}
    assert warnings("AuthorizationPolicy", spec) == ["spec.rules[0].from[0].source.principals[1]"]


@pytest.mark.parametrize(("operation", "wrong"), [
    ({"methods": ["GET"], "ports": ["80"]}, []),
    ({}, [""]),
    ({"ports": ["http", "0"]}, [".ports[0]", ".ports[1]"]),
    ({"paths": ["/a*", "/a/{*}/b", "/{*}/{**}"]}, []),
    ({"paths": ["/{**}/{*}", "/{*}*", "/{x}", "/a{*}"]}, [".paths[0]", ".paths[1]", ".paths[2]", ".paths[3]"]),
    ({"hosts": [""]}, [".hosts[0]"]),
])  # fmt: skip
def test_operations(operation: dict[str, Any], wrong: list[str]) -> None:
    spec = {"rules": [{"to": [{"operation": operation}]}]}
    assert errors("AuthorizationPolicy", spec) == [f"spec.rules[0].to[0].operation{w}" for w in wrong]


@pytest.mark.parametrize(("condition", "wrong"), [
    ({"key": "request.headers[x]", "values": ["a"]}, []),
    ({"key": "request.auth.claims[a][b]", "notValues": ["a"]}, []),
    ({}, [".key"]),
    ({"key": "weather", "values": ["a"]}, [".key"]),
    ({"key": "request.headers[]", "values": ["a"]}, [".key"]),
    ({"key": "source.ip"}, [""]),
    ({"key": "source.ip", "values": ["x"]}, [".values[0]"]),
    ({"key": "destination.port", "values": ["x"]}, [".values[0]"]),
])  # fmt: skip
def test_conditions(condition: dict[str, Any], wrong: list[str]) -> None:
    spec = {"rules": [{"when": [condition]}]}
    assert errors("AuthorizationPolicy", spec) == [f"spec.rules[0].when[0]{w}" for w in wrong]


def test_custom_rules_know_no_identity() -> None:
    rule = {"from": [{"source": {"principals": ["a"]}}], "when": [{"key": "request.auth.principal", "values": ["x"]}]}
    spec = {"action": "CUSTOM", "provider": {"name": "x"}, "rules": [rule]}
    assert errors("AuthorizationPolicy", spec) == [
        "spec.rules[0].from[0].source.principals",
        "spec.rules[0].when[0].key",
    ]


def test_deny_rules_that_widen_on_tcp_are_warned_about() -> None:
    rule: dict[str, Any] = {"to": [{"operation": {"methods": ["GET"]}}]}
    assert warnings("AuthorizationPolicy", {"action": "DENY", "rules": [rule]}) == ["spec.rules[0]"]
    rule["to"][0]["operation"]["ports"] = ["80"]
    assert warnings("AuthorizationPolicy", {"action": "DENY", "rules": [rule]}) == []


@pytest.mark.row("CM-16")
def test_dry_run() -> None:
    path = 'metadata.annotations["istio.io/dry-run"]'
    assert errors("AuthorizationPolicy", {}, annotations={"istio.io/dry-run": "true"}) == []
    assert errors("AuthorizationPolicy", {}, annotations={"istio.io/dry-run": "maybe"}) == [path]
    assert errors(
        "AuthorizationPolicy", {"action": "AUDIT", "rules": [{}]}, annotations={"istio.io/dry-run": "true"}
    ) == [path]
