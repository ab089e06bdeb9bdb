"""A security policy that is not valid, in the mesh all the same, denies what it selected."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.closed import REFUSED_POLICY
from mizzen.model.config import Config
from mizzen.model.finding import Level
from mizzen.resolve import build
from mizzen.resolve.policies import policies_of
from mizzen.sources.config import config_of
from mizzen.sources.files import parse

SELECTOR = "selector: {matchLabels: {app: web}}"


def read(kind: str, spec: str) -> Config:
    text = f"apiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{name: p, namespace: a}}\nspec: {{{spec}}}\n"
    return config_of(parse(text, "f.yaml").documents)


def only(config: Config, kind: str) -> Object:
    (found,) = config.of(kind).values()
    return found


def body(config: Config, kind: str) -> Any:
    return only(config, kind).body


@pytest.mark.parametrize(
    "spec",
    [
        "action: PERHAPS, rules: [{}]",
        "action: ALLOW, rules: [{to: [{operation: {paths: ['/a/{*}x']}}]}]",
        "action: ALLOW, rulez: []",
        "action: ALLOW, rules: rubbish",
    ],
)
def test_a_policy_denies_exactly_what_it_selected(spec: str) -> None:
    config = read("AuthorizationPolicy", f"{SELECTOR}, {spec}")
    snapshot = build(config)
    denied = policies_of(snapshot, "a", {"app": "web"})
    assert [obj.name for obj in denied.deny] == ["p"]
    assert denied.deny[0].body.rules, "an empty rule matches everything"
    assert not denied.allow
    assert not policies_of(snapshot, "a", {"app": "db"})
    assert not policies_of(snapshot, "b", {"app": "web"})


def test_it_is_said() -> None:
    config = read("AuthorizationPolicy", f"{SELECTOR}, action: PERHAPS")
    (finding,) = (finding for finding in config.findings if finding.code == REFUSED_POLICY)
    assert (finding.level, finding.kind, finding.namespace, finding.name) == (
        Level.WARNING,
        "AuthorizationPolicy",
        "a",
        "p",
    )
    assert any(finding.level is Level.ERROR for finding in config.findings)


def test_a_selector_that_cannot_be_read_is_none() -> None:
    config = read("AuthorizationPolicy", "selector: 7, action: DENY, rules: [{}]")
    assert policies_of(build(config), "a", {"app": "db"}).deny


def test_other_fields_keep_a_policy_of_a_gateway_off_pods() -> None:
    target = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]"
    config = read("AuthorizationPolicy", f"{target}, action: PERHAPS")
    snapshot = build(config)
    assert not policies_of(snapshot, "a", {"app": "db"})
    assert policies_of(snapshot, "a", {"gateway.networking.k8s.io/gateway-name": "gw"}).deny


def test_a_request_authentication_takes_no_token_and_wants_one() -> None:
    (rule,) = body(
        read("RequestAuthentication", f"{SELECTOR}, jwtRules: [{{issuer: x, jwks: a, jwksUri: b}}]"),
        "RequestAuthentication",
    ).jwt_rules
    assert rule.presence == "REQUIRED"
    assert rule.jwks == "{}"


def test_a_peer_authentication_is_strict() -> None:
    found = body(read("PeerAuthentication", f"{SELECTOR}, mtls: {{mode: PERHAPS}}"), "PeerAuthentication")
    assert found.mtls.mode == "STRICT"
    assert found.selector.match_labels == {"app": "web"}


def test_a_trial_stays_one() -> None:
    text = (
        "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: p, namespace: a, "
        "annotations: {istio.io/dry-run: 'true'}}, spec: {action: PERHAPS}}"
    )
    config = config_of(parse(text, "f.yaml").documents)
    assert only(config, "AuthorizationPolicy").meta.annotations == {"istio.io/dry-run": "true"}


def test_other_kinds_are_left_out() -> None:
    text = "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g}, spec: {servers: 7}}"
    assert config_of(parse(text, "f.yaml").documents).of("Gateway") == {}
