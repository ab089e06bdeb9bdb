"""Matches, destinations and weights of HTTP routes."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, route


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"match": [{"uri": {"prefix": ""}}]}, []),
    ({"match": [{"method": {"prefix": ""}}]}, ["match[0].method.prefix"]),
    ({"match": [{"uri": {"regex": "["}}]}, ["match[0].uri.regex"]),
    ({"match": [{"uri": {"regex": ""}}]}, ["match[0].uri.regex"]),
    ({"match": [{"headers": {"a b": {"exact": "x"}}}]}, ["match[0].headers"]),
    ({"match": [{"headers": {"x": {}}, "queryParams": {"v": {"regex": "*"}}}]}, []),
    ({"match": [{"headers": {"@request.auth.claims.a": {"exact": "x"}}}]}, ["match[0].headers.@request.auth.claims.a"]),
    ({"match": [{"queryParams": {"x" * 1025: {"exact": "a"}, "y" * 1024: {"exact": "a"}}}]}, ["match[0].queryParams"]),
    ({"match": [{"port": 70000}]}, ["match[0].port"]),
    ({"match": [{"sourceNamespace": "A"}]}, ["match[0].sourceNamespace"]),
    ({"timeout": "0s"}, []),
    ({"timeout": "1us"}, ["timeout"]),
])  # fmt: skip
def test_fields(fields: dict[str, Any], wrong: list[str]) -> None:
    got = errors("VirtualService", route(**fields))
    assert [path.replace('["@request.auth.claims.a"]', ".@request.auth.claims.a") for path in got] == [
        f"spec.http[0].{w}" for w in wrong
    ]


@pytest.mark.row("VS-51")
@pytest.mark.parametrize(("entry", "wrong"), [
    ({}, ["spec.http[0]"]),
    ({"route": [{"destination": {"host": "b"}}], "redirect": {"uri": "/"}}, ["spec.http[0]"]),
    ({"redirect": {"uri": "/"}, "fault": {"abort": {"httpStatus": 500}}}, ["spec.http[0].fault"]),
    ({"directResponse": {"status": 200}, "rewrite": {"uri": "/"}}, ["spec.http[0].rewrite"]),
    ({"delegate": {"name": "x"}, "route": [{"destination": {"host": "b"}}]}, ["spec.http[0]"]),
    ({"delegate": {}}, ["spec.http[0].delegate.name"]),
])  # fmt: skip
def test_combinations(entry: dict[str, Any], wrong: list[str]) -> None:
    assert errors("VirtualService", {"hosts": ["a"], "http": [entry]}) == wrong


@pytest.mark.parametrize(("weights", "wrong"), [
    ([90, 10], []), ([1], []), ([0], []), ([3, 0], []), ([0, 0], ["spec.http[0].route"]),
    ([-1, 5], ["spec.http[0].route[0].weight"]),
])  # fmt: skip
def test_weights(weights: list[int], wrong: list[str]) -> None:
    targets = [{"destination": {"host": "b"}, "weight": weight} for weight in weights]
    assert errors("VirtualService", {"hosts": ["a"], "http": [{"route": targets}]}) == wrong


@pytest.mark.row("VS-28")
def test_weights_come_to_what_envoy_can_count() -> None:
    def weighted(*weights: int) -> list[str]:
        return errors(
            "VirtualService",
            {
                "hosts": ["a"],
                "http": [{"route": [{"destination": {"host": f"b{i}"}, "weight": w} for i, w in enumerate(weights)]}],
            },
        )

    assert weighted(2**31, 2**31 - 1) == []
    assert weighted(2**31, 2**31) == ["spec.http[0].route"]
