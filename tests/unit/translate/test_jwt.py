"""RequestAuthentication as a jwt_authn filter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2 as pb
from google.protobuf.json_format import MessageToDict

from mizzen.model.jwks import KeySource, RemoteKeySet
from mizzen.model.view import Policies
from mizzen.translate import jwt
from mizzen.translate.filters import Direction
from tests.meshes import SECURITY, new

KEYS = '{"keys": [{"kty": "oct", "k": "eA"}]}'


def built(*rules: dict[str, Any], direction: Direction = Direction.INBOUND, **keys: str) -> pb.JwtAuthentication:
    obj = new(SECURITY, "RequestAuthentication", "a", "tokens", {"jwtRules": list(rules)})
    fetched = {KeySource(issuer, f"https://{issuer}"): text for issuer, text in keys.items()}
    (filter_,) = jwt.http_filters(Policies(request_authentications=(obj,), keys=fetched), direction)
    config = pb.JwtAuthentication()
    assert filter_.typed_config.Unpack(config)
    return config


def test_without_rules_there_is_no_filter() -> None:
    assert list(jwt.http_filters(Policies(), Direction.INBOUND)) == []


@pytest.mark.row("RA-01", "RA-13", "RA-15")
def test_one_issuer_is_checked_but_not_required() -> None:
    config = built({"issuer": "x", "jwks": KEYS})
    assert config.bypass_cors_preflight
    assert MessageToDict(config.rules[0].requires) == {
        "requiresAny": {"requirements": [{"providerName": "origins-0"}, {"allowMissing": {}}]}
    }


@pytest.mark.row("RA-13")
def test_a_token_good_for_one_of_several_issuers_passes() -> None:
    config = built({"issuer": "y", "jwks": KEYS}, {"issuer": "x", "jwks": KEYS})
    assert [config.providers[f"origins-{i}"].issuer for i in range(2)] == ["x", "y"]
    optional = [
        {"requiresAny": {"requirements": [{"providerName": f"origins-{i}"}, {"allowMissing": {}}]}} for i in range(2)
    ]
    assert MessageToDict(config.rules[0].requires) == {
        "requiresAny": {
            "requirements": [
                {"providerName": "origins-0"},
                {"providerName": "origins-1"},
                {"requiresAll": {"requirements": optional}},
            ]
        }
    }


@pytest.mark.row("RA-07", "RA-08", "RA-10", "RA-16")
def test_every_field_has_its_place() -> None:
    rule = {
        "issuer": "x",
        "jwks": KEYS,
        "audiences": ["a"],
        "fromHeaders": [{"name": "x-token", "prefix": "T "}],
        "fromParams": ["t"],
        "fromCookies": ["c"],
        "outputPayloadToHeader": "x-payload",
        "outputClaimToHeaders": [{"header": "x-sub", "claim": "a.b"}],
        "forwardOriginalToken": True,
        "spaceDelimitedClaims": ["roles", "scope"],
    }
    (provider,) = built(rule).providers.values()
    assert MessageToDict(provider) == {
        "issuer": "x",
        "audiences": ["a"],
        "forward": True,
        "fromHeaders": [{"name": "x-token", "valuePrefix": "T "}],
        "fromParams": ["t"],
        "fromCookies": ["c"],
        "forwardPayloadHeader": "x-payload",
        "claimToHeaders": [{"headerName": "x-sub", "claimName": "a.b"}],
        "payloadInMetadata": "payload",
        "normalizePayloadInMetadata": {"spaceDelimitedClaims": ["permission", "roles", "scope"]},
        "localJwks": {"inlineString": KEYS},
    }
    assert built(rule, direction=Direction.GATEWAY).providers["origins-0"].clear_route_cache


@pytest.mark.row("RA-05")
@pytest.mark.parametrize("bad", ["", "no json", "[]", '{"keys": []}', '{"keys": "x"}'])
def test_without_keys_nobodys_key_stands_in_for_that_issuer_alone(bad: str) -> None:
    config = built({"issuer": "x", "jwksUri": "https://x"}, {"issuer": "y", "jwksUri": "https://y"}, x=KEYS, y=bad)
    assert config.providers["origins-0"].local_jwks.inline_string == KEYS
    stand_in = json.loads(config.providers["origins-1"].local_jwks.inline_string)
    assert [key["kid"] for key in stand_in["keys"]] == ["none"]


@pytest.mark.row("RA-03")
def test_a_rule_without_an_issuer_takes_tokens_of_any() -> None:
    config = built({"jwksUri": "https://"}, **{"": KEYS})
    assert config.providers["origins-0"].issuer == ""
    assert config.providers["origins-0"].local_jwks.inline_string == KEYS
    assert not config.providers["origins-0"].audiences


@pytest.mark.row("RA-06", "RA-11")
@pytest.mark.parametrize(("timeout", "seconds"), [({}, "5s"), ({"timeout": "2s"}, "2s")])
def test_envoy_fetches_keys_where_it_was_told_to(timeout: dict[str, str], seconds: str) -> None:
    uri = "http://keys.a.svc.cluster.local:8000/jwks"
    rule = {"issuer": "x", "jwksUri": uri, **timeout}
    obj = new(SECURITY, "RequestAuthentication", "a", "tokens", {"jwtRules": [rule]})
    remote = {KeySource("x", uri): RemoteKeySet(uri, "keys.a.svc.cluster.local", 8000)}
    (filter_,) = jwt.http_filters(Policies(request_authentications=(obj,), remote_keys=remote), Direction.INBOUND)
    config = pb.JwtAuthentication()
    assert filter_.typed_config.Unpack(config)
    assert MessageToDict(config.providers["origins-0"].remote_jwks) == {
        "httpUri": {"uri": uri, "cluster": "outbound|8000||keys.a.svc.cluster.local", "timeout": seconds},
        "cacheDuration": "300s",
    }
