"""Which fetched keys a RequestAuthentication gets, and what is said when there are none."""

from __future__ import annotations

import pytest

from mizzen.model.config import Config
from mizzen.model.jwks import FetchedKeys, KeySource
from mizzen.resolve import build
from mizzen.resolve.policies import policies_of
from mizzen.resolve.token_keys import keys_of, sources
from tests.meshes import SECURITY, new

GOOD, BAD = KeySource("good", "https://good/k"), KeySource("bad", "")
TOKENS = new(
    SECURITY,
    "RequestAuthentication",
    "a",
    "tokens",
    {"jwtRules": [{"issuer": "good", "jwksUri": "https://good/k"}, {"issuer": "bad"}, {"issuer": "own", "jwks": "{}"}]},
)
FETCHED = {GOOD: FetchedKeys("{}"), BAD: FetchedKeys(error="no route")}


def test_only_what_a_rule_does_not_bring_is_fetched() -> None:
    assert sources([TOKENS, TOKENS]) == (BAD, GOOD)
    assert keys_of([TOKENS], FETCHED) == {GOOD: "{}"}


@pytest.mark.row("RA-05")
def test_keys_that_could_not_be_fetched_are_a_finding_about_that_rule() -> None:
    config = Config(jwks=FETCHED).with_objects([TOKENS])
    snapshot = build(config)
    (finding,) = snapshot.findings
    assert (finding.code, finding.name, finding.field) == ("MZ0402", "tokens", "spec.jwtRules[1].jwksUri")
    assert finding.message == "the keys could not be fetched: no route; tokens of this issuer are refused"
    assert policies_of(snapshot, "a", {}).keys == {GOOD: "{}"}
    assert policies_of(snapshot, "b", {}).keys == {}
