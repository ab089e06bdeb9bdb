"""Claims as dynamic metadata."""

from __future__ import annotations

import pytest
from google.protobuf.json_format import MessageToDict

from mizzen.api.match import StringMatch
from mizzen.translate.http import claims


@pytest.mark.row("VS-19")
@pytest.mark.parametrize("name", ["@request.auth.claims.realm.roles", "@request.auth.claims[realm][roles]"])
def test_a_claim_is_a_text_or_one_of_a_list(name: str) -> None:
    found = MessageToDict(claims.matcher(name, StringMatch(exact="admin")))
    assert found["filter"] == "envoy.filters.http.jwt_authn"
    assert [part["key"] for part in found["path"]] == ["payload", "realm", "roles"]
    assert found["value"]["orMatch"]["valueMatchers"] == [
        {"listMatch": {"oneOf": {"stringMatch": {"exact": "admin"}}}},
        {"stringMatch": {"exact": "admin"}},
    ]


@pytest.mark.row("VS-19")
def test_presence_and_absence() -> None:
    assert claims.matcher("@request.auth.claims[a.b]", StringMatch()).value.present_match
    inverted = claims.matcher("@request.auth.claims.a", StringMatch(prefix="x"), invert=True)
    assert inverted.invert
    assert [part.key for part in claims.matcher("@request.auth.claims[a.b]", StringMatch()).path] == ["payload", "a.b"]
