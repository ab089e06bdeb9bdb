"""Label selectors with expressions."""

from typing import Any

import pytest

from mizzen.model.label_selector import matches, problem

LABELS = {"env": "prod", "team": "a"}


@pytest.mark.row("CM-13")
@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, True),
        ({"matchLabels": {"env": "prod"}}, True),
        ({"matchLabels": {"env": "prod", "team": "b"}}, False),
        ({"matchExpressions": [{"key": "env", "operator": "In", "values": ["dev", "prod"]}]}, True),
        ({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]}, False),
        ({"matchExpressions": [{"key": "gone", "operator": "NotIn", "values": ["prod"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"env": "prod"}, "matchExpressions": [{"key": "gone", "operator": "Exists"}]}, False),
    ],
)
def test_all_parts_must_hold(selector: dict[str, Any], expected: bool) -> None:
    assert problem(selector) == ""
    assert matches(selector, LABELS) is expected


@pytest.mark.parametrize(
    "expression", [{"operator": "Is"}, {"operator": "In"}, {"operator": "Exists", "values": ["x"]}]
)
def test_what_is_wrong_is_said(expression: dict[str, Any]) -> None:
    assert problem({"matchExpressions": [{"key": "a", **expression}]})


@pytest.mark.parametrize(
    "selector", [{"matchLabels": ["a"]}, {"matchExpressions": {}}, {"matchExpressions": ["a"]}, {"matchExpressions": 5}]
)
def test_what_has_another_shape_is_told_too(selector: dict[str, Any]) -> None:
    assert bool(problem(selector)) is (selector != {"matchExpressions": {}})
