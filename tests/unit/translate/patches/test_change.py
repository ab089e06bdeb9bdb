from __future__ import annotations

import pytest
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm

from mizzen.translate.patches.change import edit_named, number
from tests.unit.translate.patches.patching import LUA, change, patch

_Filter = hcm.HttpFilter


def edited(operation: str, wanted: str, *, value: bool = True) -> list[str]:
    manager = hcm.HttpConnectionManager(http_filters=[_Filter(name=n) for n in ("a", "b", "c")])
    one = change(patch("HTTP_FILTER", operation, LUA if value else None))
    edit_named(manager.http_filters, one, _Filter, lambda f: bool(f.name == wanted), named=bool(wanted))
    return [f.name for f in manager.http_filters]


@pytest.mark.row("EF-12", "EF-13", "EF-14")
@pytest.mark.parametrize(
    ("operation", "wanted", "expected"),
    [
        ("ADD", "b", ["a", "b", "c", "lua"]),
        ("INSERT_BEFORE", "b", ["a", "lua", "b", "c"]),
        ("INSERT_AFTER", "b", ["a", "b", "lua", "c"]),
        ("INSERT_FIRST", "b", ["lua", "a", "b", "c"]),
        ("INSERT_BEFORE", "", ["lua", "a", "b", "c"]),
        ("INSERT_AFTER", "", ["a", "b", "c", "lua"]),
        ("INSERT_BEFORE", "gone", ["a", "b", "c"]),
        ("INSERT_AFTER", "gone", ["a", "b", "c"]),
        ("INSERT_FIRST", "gone", ["lua", "a", "b", "c"]),
        ("REPLACE", "b", ["a", "lua", "c"]),
        ("REPLACE", "gone", ["a", "b", "c"]),
        ("REPLACE", "", ["a", "b", "c"]),
        ("REMOVE", "b", ["a", "c"]),
        ("REMOVE", "", ["a", "b", "c"]),
    ],
)
def test_where_a_filter_goes(operation: str, wanted: str, expected: list[str]) -> None:
    assert edited(operation, wanted) == expected


@pytest.mark.row("EF-17")
@pytest.mark.parametrize(
    "value",
    [
        {"name": 5, "typed_config": []},
        {"typed_config": {"@type": "type.googleapis.com/no.such.Type"}},
        {"typed_config": {"@type": "type.googleapis.com/envoy.nothing.v3.Here"}},
    ],
)
def test_a_value_that_does_not_decode_is_refused_and_tells_why(value: dict[str, object]) -> None:
    one = change(patch("HTTP_FILTER", "ADD", value))
    assert one.value(_Filter) is None
    assert one.outcome().status == "refused"
    assert one.outcome().reason
    assert not one.usable


def test_a_field_that_envoy_does_not_know_is_left_out() -> None:
    one = change(patch("HTTP_FILTER", "ADD", {"name": "x", "nonsense": 1}))
    found = one.value(_Filter)
    assert found is not None
    assert found.name == "x"


def test_a_failure_is_the_patchs_own() -> None:
    one = change(patch("HTTP_FILTER", "ADD", LUA))
    assert one.attempt(lambda: True)

    def fail() -> bool:
        raise ValueError("no")

    assert not one.attempt(fail)
    assert not one.attempt(lambda: True)
    assert one.outcome().status == "refused"


@pytest.mark.parametrize(("written", "expected"), [(None, 0), (80, 80), ("80", 80), ("x", -1), ({}, 0), ([1], -1)])
def test_a_port_that_is_no_number_matches_nothing(written: object, expected: int) -> None:
    assert number(written) == expected
