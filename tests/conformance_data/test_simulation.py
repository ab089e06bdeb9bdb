"""Where calls end in what we make of a configuration, read as Envoy reads it: ``simulation.json``."""

from __future__ import annotations

import fnmatch

import pytest
import yaml

from tests.conformance.report import REASONS, reason
from tests.conformance_data import data, simulation


def test_calls_end_where_istios_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Every case that fails has a reason, and no reason is left of one that holds."""
    cases = data.cases("simulation.json")
    wrong = {case["id"]: found for case in cases if (found := simulation.problems(case))}
    data.score(capsys, "simulation.json", len(cases) - len(wrong), len(cases))
    reasons = yaml.safe_load(REASONS.read_text()) or {}
    unexpected = [f"{name}: {'; '.join(found)}" for name, found in wrong.items() if not reason(name, reasons)]
    assert not unexpected, "\n".join(unexpected)
    used = {pattern for pattern in reasons for name in wrong if fnmatch.fnmatch(name, pattern)}
    about = {pattern for pattern in reasons for case in cases if fnmatch.fnmatch(case["id"], pattern)}
    assert about == used
