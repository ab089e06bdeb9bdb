"""External authorizers of MeshConfig."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.authorizer import Authorizer
from mizzen.model.config import Config
from mizzen.model.finding import Level
from mizzen.resolve import build
from mizzen.resolve.authorizers import authorizers, usable
from mizzen.resolve.policies import policies_of
from tests.meshes import SECURITY, new, service

AUTHZ = service("authz", "a", 1, [{"name": "http", "port": 8000}, {"name": "grpc", "port": 9000}])
HOSTS = {"authz.a.svc.cluster.local": build(Config().with_objects([AUTHZ])).services}


def read(kind: str = "envoyExtAuthzHttp", name: str = "p", **more: Any) -> Authorizer | str:
    raw = {"service": "authz.a.svc.cluster.local", "port": 8000, **more}
    return authorizers(MeshConfig(extension_providers=({"name": name, kind: raw},)), HOSTS)[name]


@pytest.mark.row("AP-27")
def test_both_kinds_are_read() -> None:
    http = read(timeout="2s", failOpen=True, statusOnError="503", pathPrefix="/check", headersToUpstreamOnAllow=["x-*"])
    assert isinstance(http, Authorizer)
    assert http.http is not None
    assert (http.timeout.seconds, http.fail_open, http.status_on_error) == (2, True, 503)
    assert (http.http.path_prefix, http.http.upstream_on_allow) == ("/check", ("x-*",))
    grpc = read("envoyExtAuthzGrpc", port=9000, includeRequestBodyInCheck={"maxRequestBytes": 10})
    assert isinstance(grpc, Authorizer)
    assert grpc.http is None
    assert grpc.body is not None
    assert grpc.body.max_bytes == 10


@pytest.mark.row("AP-27", "MC-07")
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Upper"},
        {"name": "x" * 64},
        {"port": 0},
        {"port": "http"},
        {"service": "gone.a.svc.cluster.local"},
        {"service": "b/authz.a.svc.cluster.local"},
        {"timeout": "soon"},
        {"statusOnError": "999"},
        {"pathPrefix": "check"},
        {"headersToUpstreamOnAllow": ["*"]},
        {"headersToDownstreamOnDeny": ["*x*"]},
        {"includeAdditionalHeadersInCheck": {"a b": "c"}},
        {"includeRequestBodyInCheck": {"maxRequestBytes": 0}},
    ],
)
def test_any_error_makes_it_unusable(wrong: dict[str, Any]) -> None:
    assert isinstance(read(**wrong), str)


def test_a_service_may_be_named_with_its_namespace() -> None:
    assert isinstance(read(service="a/authz.a.svc.cluster.local"), Authorizer)


@pytest.mark.row("AP-06")
def test_a_policy_whose_provider_does_not_exist_is_a_finding() -> None:
    def policy(name: str, provider: str) -> Any:
        spec = {"action": "CUSTOM", "provider": {"name": provider}, "rules": [{}]}
        return new(SECURITY, "AuthorizationPolicy", "a", name, spec)

    raw = {"name": "p", "envoyExtAuthzGrpc": {"service": "authz.a.svc.cluster.local", "port": 9000}}
    mesh = MeshConfig(extension_providers=(raw, {"name": "zipkin", "zipkin": {}}))
    config = Config(mesh=mesh).with_objects([AUTHZ, policy("good", "p"), policy("bad", "q"), policy("odd", "zipkin")])
    snapshot = build(config)
    assert [(f.code, f.level, f.name) for f in snapshot.findings] == [
        ("MZ0401", Level.ERROR, "bad"),
        ("MZ0401", Level.ERROR, "odd"),
    ]
    assert list(policies_of(snapshot, "a", {}).authorizers) == ["p"]


def test_two_of_one_name_are_none() -> None:
    raw = {"name": "p", "envoyExtAuthzGrpc": {"service": "authz.a.svc.cluster.local", "port": 9000}}
    assert usable(authorizers(MeshConfig(extension_providers=(raw, raw)), HOSTS)) == {}
