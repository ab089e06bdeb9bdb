"""What failing closed is called: the codes of findings that say so, which a metric counts (product decision 7)."""

from __future__ import annotations

from collections.abc import Iterable

from mizzen.model.finding import Finding

NO_PROVIDER = "MZ0401"
"""An external authorizer that cannot be asked."""
NO_KEYS = "MZ0402"
"""Token keys that were never fetched."""
REFUSED_POLICY = "MZ0403"
"""A policy that is not valid and got into the mesh all the same."""

REASONS = {NO_PROVIDER: "provider", NO_KEYS: "keys", REFUSED_POLICY: "policy"}
"""The label ``reason`` of the metric, by code."""


def closed_by(findings: Iterable[Finding]) -> dict[str, int]:
    """How many fields of objects deny because they could not be built, by reason; every reason is there."""
    found = dict.fromkeys(REASONS.values(), 0)
    for finding in findings:
        if finding.code in REASONS:
            found[REASONS[finding.code]] += 1
    return found
