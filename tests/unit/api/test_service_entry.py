from __future__ import annotations

import pytest

from mizzen.api.service_entry import Condition, WorkloadEntryStatus


@pytest.mark.parametrize(
    ("conditions", "healthy"),
    [
        ((Condition(type="Healthy", status="True"),), True),
        ((Condition(type="Healthy", status="False"),), False),
        ((Condition(type="Other", status="True"),), False),
        ((), False),
    ],
)
def test_a_workload_is_healthy_when_its_condition_says_so(conditions: tuple[Condition, ...], healthy: bool) -> None:
    assert WorkloadEntryStatus(conditions=conditions).healthy is healthy
