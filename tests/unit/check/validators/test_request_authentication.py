"""RequestAuthentication."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings


@pytest.mark.parametrize(("rule", "wrong"), [
    ({"issuer": "a", "jwksUri": "https://a/keys"}, []),
    ({"jwksUri": "https://a/keys"}, []),
    ({}, ["issuer"]),
    ({"issuer": "a", "jwksUri": "ftp://a"}, ["jwksUri"]),
    ({"issuer": "a", "jwksUri": "https://a:x/"}, ["jwksUri"]),
    ({"issuer": "a", "jwksUri": "https://a", "jwks": '{"keys": []}'}, ["jwks"]),
    ({"issuer": "a", "fromHeaders": [{"name": ""}], "fromParams": [""]}, ["fromParams[0]", "fromHeaders[0].name"]),
    ({"issuer": "a", "outputClaimToHeaders": [{"header": ":a"}]}, ["outputClaimToHeaders[0].header", "outputClaimToHeaders[0].claim"]),
    ({"issuer": "a", "outputPayloadToHeader": "a b", "timeout": "0s"}, ["outputPayloadToHeader", "timeout"]),
])  # fmt: skip
def test_rules(rule: dict[str, Any], wrong: list[str]) -> None:
    assert errors("RequestAuthentication", {"jwtRules": [rule]}) == [f"spec.jwtRules[0].{w}" for w in wrong]


@pytest.mark.parametrize("jwks", ["no json", "[]", "{}", '{"keys": [{"d": "private"}]}'])
def test_keys_that_are_no_public_key_set(jwks: str) -> None:
    assert warnings("RequestAuthentication", {"jwtRules": [{"issuer": "a", "jwks": jwks}]}) == ["spec.jwtRules[0].jwks"]
