"""PeerAuthentication."""

from typing import Any

import pytest

from tests.unit.check.judging import errors

SELECTOR = {"selector": {"matchLabels": {"app": "a"}}}


@pytest.mark.parametrize(("spec", "wrong"), [
    ({}, []),
    ({**SELECTOR, "portLevelMtls": {80: {"mode": "STRICT"}}}, []),
    ({"portLevelMtls": {"80": {"mode": "STRICT"}}}, ["spec.portLevelMtls"]),
    ({**SELECTOR, "portLevelMtls": {"0": {}, "99999": {}, "http": {}}}, ["spec.portLevelMtls.0", "spec.portLevelMtls.99999", "spec.portLevelMtls.http"]),
    ({"selector": {"matchLabels": {"a": "*"}}}, ["spec.selector"]),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("PeerAuthentication", spec) == wrong
