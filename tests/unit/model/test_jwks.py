from mizzen.api.security import JWTRule
from mizzen.model.jwks import KeySource, source_of


def test_a_rule_with_its_own_keys_needs_none_fetched() -> None:
    assert source_of(JWTRule(issuer="x", jwks="{}")) is None
    assert source_of(JWTRule(issuer="x", jwks_uri="https://x/k")) == KeySource("x", "https://x/k")
    assert source_of(JWTRule(issuer="x")) == KeySource("x", "")
