from __future__ import annotations

import pytest

from mizzen.api.service_entry import Condition, WorkloadEntryStatus


@pytest.mark.row("WE-08")
@pytest.mark.parametrize(
    ("conditions", "healthy"),
    [
        ((), False),
        ((Condition(type="Healthy", status="True"),), True),
        ((Condition(type="Healthy", status="False"),), False),
        ((Condition(type="Ready", status="True"),), False),
    ],
)
def test_only_the_condition_healthy_counts(conditions: tuple[Condition, ...], healthy: bool) -> None:
    assert WorkloadEntryStatus(conditions=conditions).healthy is healthy
