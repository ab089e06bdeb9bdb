"""Which keys Envoy fetches itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mizzen.model.config import Config
from mizzen.model.features import Features, RemoteKeys
from mizzen.model.jwks import KeySource, RemoteKeySet
from mizzen.resolve import build
from mizzen.resolve.policies import policies_of
from tests.meshes import SECURITY, new, service

KNOWN = "http://keys.a.svc.cluster.local:8000/jwks"
RULES = [
    {"issuer": "known", "jwksUri": KNOWN},
    {"issuer": "unknown", "jwksUri": "https://issuer.example/jwks"},
    {"issuer": "another port", "jwksUri": "http://keys.a.svc.cluster.local/jwks"},
    {"issuer": "discovery"},
    {"issuer": "own", "jwks": "{}"},
]


def found(mode: RemoteKeys) -> dict[KeySource, RemoteKeySet]:
    objects = [
        new(SECURITY, "RequestAuthentication", "a", "tokens", {"jwtRules": RULES}),
        service("keys", "a", 7, [{"name": "http", "port": 8000}]),
    ]
    config = replace(Config().with_objects(objects), features=Features(remote_keys=mode))
    return dict(policies_of(build(config), "a", {}).remote_keys)


@pytest.mark.row("RA-06")
def test_by_default_envoy_fetches_none() -> None:
    assert found(RemoteKeys.CONTROL_PLANE) == {}


@pytest.mark.row("RA-06")
def test_hybrid_is_for_services_of_the_mesh() -> None:
    assert found(RemoteKeys.HYBRID) == {
        KeySource("known", KNOWN): RemoteKeySet(KNOWN, "keys.a.svc.cluster.local", 8000)
    }


@pytest.mark.row("RA-06")
def test_envoy_is_for_all_that_have_an_address() -> None:
    assert {source.issuer: (remote.hostname, remote.port) for source, remote in found(RemoteKeys.ENVOY).items()} == {
        "known": ("keys.a.svc.cluster.local", 8000),
        "unknown": ("issuer.example", 443),
        "another port": ("keys.a.svc.cluster.local", 80),
    }


def test_an_address_that_is_none_is_left_to_the_control_plane() -> None:
    rules = [{"issuer": "x", "jwksUri": "http://h:999999/"}, {"issuer": "y", "jwksUri": "ftp://h/"}]
    config = Config(features=Features(remote_keys=RemoteKeys.ENVOY)).with_objects(
        [new(SECURITY, "RequestAuthentication", "a", "tokens", {"jwtRules": rules})]
    )
    assert policies_of(build(config), "a", {}).remote_keys == {}
