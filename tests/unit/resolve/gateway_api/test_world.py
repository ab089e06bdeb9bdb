from __future__ import annotations

import pytest

from mizzen.api.gateway_api import RouteNamespaces
from tests.gateway_world import gateway, world


@pytest.mark.row("GA-07")
@pytest.mark.parametrize(
    ("source", "selector", "names"),
    [
        ("", None, ["shop"]),
        ("Same", None, ["shop"]),
        ("All", None, ["*"]),
        ("Selector", {"matchLabels": {"team": "money"}}, ["bank"]),
        ("Selector", {"matchLabels": {"kubernetes.io/metadata.name": "bank"}}, ["bank"]),
        ("Selector", {"matchExpressions": [{"key": "team", "operator": "In", "values": ["x"]}]}, []),
        ("Selector", {"matchExpressions": [{"key": "team", "operator": "Bad"}]}, []),
        ("Selector", None, []),
        ("None", None, []),
    ],
)
def test_the_namespaces_that_are_let_in(source: str, selector: dict[str, object] | None, names: list[str]) -> None:
    assert world(gateway()).namespaces(RouteNamespaces(from_=source, selector=selector), "shop") == names


def test_objects_come_oldest_first() -> None:
    assert [o.name for o in world(gateway()).aged("Service")] == []
    assert [o.name for o in world(gateway()).aged("Namespace")] == ["bank"]
