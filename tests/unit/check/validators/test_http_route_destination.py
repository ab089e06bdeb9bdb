"""Destinations."""

from typing import Any

import pytest

from tests.unit.check.judging import errors


@pytest.mark.parametrize(("destination", "wrong"), [
    ({"host": "b", "subset": "v1", "port": {"number": 80}}, []),
    ({"host": "*-b.com"}, []),
    ({}, ["host"]),
    ({"host": "*"}, ["host"]),
    ({"host": "b!"}, ["host"]),
    ({"host": "b", "subset": "V 1"}, ["subset"]),
    ({"host": "b", "port": {}}, ["port.number"]),
])  # fmt: skip
def test_destinations(destination: dict[str, Any], wrong: list[str]) -> None:
    spec = {"hosts": ["a"], "http": [{"route": [{"destination": destination}]}]}
    assert errors("VirtualService", spec) == [f"spec.http[0].route[0].destination.{w}" for w in wrong]


def test_a_destination_is_required() -> None:
    assert errors("VirtualService", {"hosts": ["a"], "http": [{"route": [{}]}]}) == [
        "spec.http[0].route[0].destination"
    ]
