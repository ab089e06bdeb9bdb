"""What failing closed is called."""

from __future__ import annotations

from mizzen.model.closed import NO_KEYS, REFUSED_POLICY, closed_by
from mizzen.model.finding import Finding, Level


def test_every_reason_is_counted_and_nothing_else() -> None:
    findings = [
        Finding(code=code, level=Level.ERROR, message="") for code in (NO_KEYS, NO_KEYS, REFUSED_POLICY, "IST0106")
    ]
    assert closed_by(findings) == {"provider": 0, "keys": 2, "policy": 1}
