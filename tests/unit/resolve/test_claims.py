"""Routes by claims need a gateway that verifies tokens."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.features import Features
from mizzen.model.finding import Finding
from mizzen.resolve import build
from tests.meshes import NETWORKING, SECURITY, new, pod, routes, service

WEB = service("web", "a", 1, [{"name": "http", "port": 80}])
SERVER = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["x.com"]}
GATEWAY = new(NETWORKING, "Gateway", "a", "gw", {"selector": {"istio": "edge"}, "servers": [SERVER]})
EDGE = pod("edge", "istio-system", 9, {"istio": "edge"})


def _routed(**match: Any) -> Object:
    http = [{"match": [match], "route": [{"destination": {"host": "web"}}]}]
    return routes("r", "a", hosts=["x.com"], gateways=["gw"], http=http)


def _token(namespace: str, **selector: str) -> Object:
    body = {"jwtRules": [{"issuer": "me", "jwks": "{}"}]}
    return new(SECURITY, "RequestAuthentication", namespace, "t", {"selector": {"matchLabels": selector}, **body})


def _found(*objects: Object) -> list[Finding]:
    made = build(Config().with_objects([WEB, GATEWAY, EDGE, *objects]))
    return [finding for finding in made.findings if finding.code == "IST0149"]


BY_CLAIM = {"@request.auth.claims.groups": {"exact": "x"}}


@pytest.mark.row("VS-19")
def test_without_a_request_authentication_at_the_gateway_it_is_told() -> None:
    [finding] = _found(_routed(headers=BY_CLAIM))
    assert finding.field == "spec.http[0].match[0].headers"
    assert "gateway (a/gw) pod (istio-system/edge)" in finding.message
    [inverse] = _found(_routed(withoutHeaders=BY_CLAIM))
    assert inverse.field == "spec.http[0].match[0].withoutHeaders"


@pytest.mark.row("VS-19")
@pytest.mark.parametrize(
    ("token", "count"),
    [
        (_token("istio-system", istio="edge"), 0),
        (_token("istio-system", istio="other"), 1),
        (_token("a", istio="edge"), 1),
    ],
)
def test_one_in_force_on_the_pod_is_enough(token: Object, count: int) -> None:
    assert len(_found(_routed(headers=BY_CLAIM), token)) == count


@pytest.mark.row("VS-19")
def test_other_headers_need_none() -> None:
    assert _found(_routed(headers={"x-user": {"exact": "a"}})) == []


@pytest.mark.row("CM-07", "VS-19")
@pytest.mark.parametrize(("switched", "count"), [(True, 0), (False, 1)])
def test_where_selectors_do_not_hold_on_gateways_of_the_gateway_api_it_is_told(switched: bool, count: int) -> None:
    edge = pod("edge", "istio-system", 9, {"istio": "edge", "gateway.networking.k8s.io/gateway-name": "edge"})
    config = Config(features=Features(gateway_selectors=switched))
    token = _token("istio-system", istio="edge")
    made = build(config.with_objects([WEB, GATEWAY, edge, token, _routed(headers=BY_CLAIM)]))
    assert sum(finding.code == "IST0149" for finding in made.findings) == count
