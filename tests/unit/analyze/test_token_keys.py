from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.token_keys import unrestricted_keys
from tests.unit.analyze.estates import Json, found, messages, obj


def istiod(*env: Json) -> Json:
    containers: list[Any] = [{"name": "discovery", "env": list(env)}]
    return obj(
        "Deployment",
        "istiod",
        {"template": {"spec": {"containers": containers}}},
        "istio-system",
        labels={"app": "istiod"},
    )


TOKENS = [obj("RequestAuthentication", f"r{i}", {}) for i in range(7)]


@pytest.mark.row("IM-49")
def test_keys_from_any_address() -> None:
    told = [("IST0175", "Deployment istio-system/istiod")]
    assert found(unrestricted_keys, istiod(), TOKENS[0]) == told
    empty = {"name": "BLOCKED_CIDRS_IN_JWKS_URIS", "value": ""}
    assert found(unrestricted_keys, istiod(empty), TOKENS[0]) == told
    limited = {"name": "BLOCKED_CIDRS_IN_JWKS_URIS", "value": "10.0.0.0/8"}
    assert found(unrestricted_keys, istiod(limited), TOKENS[0]) == []
    other = {"name": "OTHER", "value": "10.0.0.0/8"}
    assert found(unrestricted_keys, istiod(other), TOKENS[0]) == told
    assert found(unrestricted_keys, istiod()) == []
    assert found(unrestricted_keys, obj("Deployment", "other", {}), TOKENS[0]) == []


@pytest.mark.row("IM-49")
def test_five_names_are_shown() -> None:
    text = messages(unrestricted_keys, istiod(), *TOKENS)[0]
    assert "more" not in messages(unrestricted_keys, istiod(), *TOKENS[:5])[0]
    assert "7 RequestAuthentications (default/r0, default/r1, default/r2, default/r3, default/r4, and 2 more)" in text
