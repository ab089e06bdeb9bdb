from __future__ import annotations

import copy
from typing import Any

import pytest

from mizzen.inject.merge import merge


@pytest.mark.parametrize(
    ("base", "patch", "merged"),
    [
        ({"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}, {"a": 1, "b": {"c": 1, "d": 2}}),
        ({"a": 1, "b": 2}, {"b": None}, {"a": 1}),
        ({"args": ["x"]}, {"args": ["y"]}, {"args": ["y"]}),
        (
            {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]},
            {"containers": [{"name": "c"}, {"name": "a", "tty": True}]},
            {"containers": [{"name": "a", "image": "x", "tty": True}, {"name": "b"}, {"name": "c"}]},
        ),
        (
            {"ports": [{"containerPort": 53, "name": "a"}]},
            {
                "ports": [
                    {"containerPort": 53, "protocol": "TCP", "name": "b"},
                    {"containerPort": 53, "protocol": "UDP"},
                ]
            },
            {
                "ports": [
                    {"containerPort": 53, "name": "b", "protocol": "TCP"},
                    {"containerPort": 53, "protocol": "UDP"},
                ]
            },
        ),
        (
            {"readinessProbe": {"httpGet": {"port": 1}, "periodSeconds": 5}},
            {"readinessProbe": {"exec": {"command": ["x"]}}},
            {"readinessProbe": {"periodSeconds": 5, "exec": {"command": ["x"]}}},
        ),
        (
            {"env": [{"name": "A", "value": "1"}]},
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]},
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]},
        ),
        (
            {"capabilities": {"add": ["A"]}},
            {"capabilities": {"add": ["A", "B"]}},
            {"capabilities": {"add": ["A", "B"]}},
        ),
    ],
)
def test_one_pod_over_another(base: Any, patch: Any, merged: Any) -> None:
    before = copy.deepcopy((base, patch))
    assert merge(base, patch) == merged
    assert (base, patch) == before
    assert merge(merged, patch) == merged
