"""One resource each, valid or not: our verdict against Istio's (webhook and schema together)."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.check import refused, validate
from tests.conformance_data import data

_BLOCKS = {"ValidateLocalityLbSetting": "localityLbSetting", "ValidateZoneAwareLbSetting": "zoneAwareLbSetting"}


def resource_of(case: dict[str, Any]) -> Any:
    """The resource of a case; a fragment of a load balancer is put into a DestinationRule."""
    if "resource" in case:
        return case["resource"]
    block = _BLOCKS.get(case["validator"])
    if block is None:
        return None
    policy: dict[str, Any] = {
        "loadBalancer": {"simple": "ROUND_ROBIN", block: case["fragment"]},
        "outlierDetection": {},
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "case", "namespace": "default"},
        "spec": {"host": "a.example", "trafficPolicy": policy},
    }


def accepted(resource: Any) -> bool:
    """Whether the resource would be stored."""
    found = decode(resource)
    if found.object is None or any(problem.fatal for problem in found.problems):
        return False
    return not refused(validate(found.object))


@pytest.mark.row("CM-03", "VS-51")
def test_verdicts_equal_istios(capsys: pytest.CaptureFixture[str]) -> None:
    """A fragment of mesh config that no resource holds counts as wrong."""
    cases = [(case, resource_of(case)) for case in data.cases("validation.json")]
    wrong = [case["id"] for case, it in cases if it is None or accepted(it) is not case["valid"]]
    share = data.score(capsys, "validation.json", len(cases) - len(wrong), len(cases))
    assert share >= 0.97, "\n".join(wrong)
