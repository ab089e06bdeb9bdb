"""Durations to the nanosecond."""

from __future__ import annotations

import pytest

from mizzen.api.meta import Duration
from mizzen.translate.scalars import duration, seconds


@pytest.mark.parametrize(("nanos", "text"), [(0, "0s"), (1, "0.000000001s"), (1_500_000_000, "1.500s")])
def test_duration(nanos: int, text: str) -> None:
    assert duration(Duration(nanos)).ToJsonString() == text


def test_seconds() -> None:
    assert seconds(0.25) == duration(Duration(250_000_000))
