"""What a change of an object changes for a sidecar: nothing else is sent to it (row XD-04)."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.resources import CLUSTER, ENDPOINT, LISTENER, ROUTE, ResourceSet
from mizzen.resolve import build, view
from mizzen.translate import Memo, resources
from tests.meshes import NETWORKING, SECURITY, endpoint_slice, new, pod, routes, rule, service, sidecar

HTTP = [{"name": "http", "port": 80, "targetPort": 8080}]
BASE: tuple[Object, ...] = (
    service("web", "a", 1, HTTP),
    service("other", "a", 2, HTTP),
    pod("pod-1", "a", 1, {"app": "web"}),
    endpoint_slice("web", "a", [{"name": "http", "port": 8080}], ["10.1.0.1"]),
    endpoint_slice("other", "a", [{"name": "http", "port": 8080}], ["10.1.0.2"]),
)
DENY = {"selector": {"matchLabels": {"app": "web"}}, "action": "DENY", "rules": [{}]}
GATEWAY = {
    "selector": {"istio": "x"},
    "servers": [{"port": {"number": 80, "name": "h", "protocol": "HTTP"}, "hosts": ["*"]}],
}


KEYS = '{"keys": [{"kty": "oct", "kid": "k", "k": "c2VjcmV0"}]}'


def telemetry(**spec: Any) -> Object:
    return new("telemetry.istio.io/v1", "Telemetry", "a", "t", spec)


@pytest.mark.row("XD-04")
@pytest.mark.parametrize(
    ("change", "types"),
    [
        (endpoint_slice("other", "a", [{"name": "http", "port": 8080}], ["10.1.0.2", "10.1.0.3"]), {ENDPOINT}),
        (
            routes("r", "a", hosts=["other"], http=[{"timeout": "1s", "route": [{"destination": {"host": "other"}}]}]),
            {ROUTE},
        ),
        (rule("r", "a", host="other", trafficPolicy={"loadBalancer": {"simple": "RANDOM"}}), {CLUSTER}),
        (new(SECURITY, "AuthorizationPolicy", "a", "p", DENY), {LISTENER}),
        (new(NETWORKING, "Gateway", "a", "g", GATEWAY), set()),
        (new(SECURITY, "PeerAuthentication", "a", "m", {"mtls": {"mode": "STRICT"}}), {LISTENER}),
        (new(SECURITY, "PeerAuthentication", "b", "m", {"mtls": {"mode": "STRICT"}}), set()),
        (new(SECURITY, "RequestAuthentication", "a", "t", {"jwtRules": [{"issuer": "i", "jwks": KEYS}]}), {LISTENER}),
        (new(SECURITY, "AuthorizationPolicy", "b", "p", {"action": "DENY", "rules": [{}]}), set()),
        (telemetry(accessLogging=[{"providers": [{"name": "envoy"}]}]), {LISTENER}),
        (new("networking.istio.io/v1beta1", "ProxyConfig", "a", "c", {"concurrency": 2}), set()),
        (new(NETWORKING, "WorkloadGroup", "a", "w", {"template": {}}), set()),
        (new("v1", "Secret", "a", "s", {}, stringData={"tls.key": "x"}), set()),
        (new(NETWORKING, "Sidecar", "b", "default", {"egress": [{"hosts": ["./*"]}]}), set()),
        (
            routes("r", "b", exportTo=["."], hosts=["other.a.svc.cluster.local"], http=[{"redirect": {"uri": "/"}}]),
            set(),
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Object) else None,
)
def test_only_the_types_that_a_change_concerns_differ(change: Object, types: set[str]) -> None:
    config, memo = Config().with_objects(BASE), Memo()
    first = build(config)
    before = resources(view(first, sidecar()), memo)
    after = resources(view(build(config.with_objects([change]), first), sidecar()), memo)
    assert {
        kind for kind in (CLUSTER, ENDPOINT, LISTENER, ROUTE) if _versions(before, kind) != _versions(after, kind)
    } == types


def _versions(made: ResourceSet, kind: str) -> dict[str, str]:
    return {name: resource.version for name, resource in made.get(kind).items()}
