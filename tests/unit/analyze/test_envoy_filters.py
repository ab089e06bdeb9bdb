from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.envoy_filters import patches
from tests.unit.analyze.estates import Json, found, obj


def patch(operation: str, apply_to: str = "HTTP_FILTER", name: str = "f", version: str = "", **more: Any) -> Json:
    proxy = {"proxy": {"proxyVersion": version}} if version else {}
    value = {"value": {"name": name}} if name else {}
    return {"applyTo": apply_to, "match": {**proxy, **more}, "patch": {"operation": operation, **value}}


def codes(*several: list[Json], priority: int = 0) -> list[str]:
    objects = [obj("EnvoyFilter", f"e{i}", {"configPatches": ps, "priority": priority}) for i, ps in enumerate(several)]
    return [code for code, _ in found(patches, *objects)]


@pytest.mark.row("IM-35")
def test_relative_operations() -> None:
    for operation in ("INSERT_BEFORE", "INSERT_AFTER", "REMOVE", "REPLACE"):
        assert codes([patch(operation)]) == ["IST0151"]
        assert codes([patch(operation)], priority=10) == []
    for operation in ("MERGE", "INSERT_FIRST", "ADD"):
        assert codes([patch(operation)]) == []
    assert codes([patch("INSERT_BEFORE"), patch("INSERT_AFTER", name="g")]) == ["IST0151"]


@pytest.mark.row("IM-35")
def test_operations_that_are_ignored() -> None:
    for place in ("ROUTE_CONFIGURATION", "HTTP_ROUTE"):
        assert codes([patch("ADD", place)]) == ["IST0153"]
        assert codes([patch("REMOVE", place)]) == ["IST0154"]
    assert codes([patch("REPLACE", "CLUSTER")], priority=1) == ["IST0152"]
    for place in ("NETWORK_FILTER", "HTTP_FILTER", "VIRTUAL_HOST"):
        assert codes([patch("REPLACE", place)], priority=1) == []
    assert codes([patch("ADD", "CLUSTER"), patch("REMOVE", "CLUSTER")], priority=1) == []


@pytest.mark.row("IM-35")
def test_relative_to_a_patch_for_one_version() -> None:
    first = patch("ADD", version="1.2.*")
    assert codes([first], [patch("INSERT_AFTER")]) == ["IST0155"]
    assert codes([first], [patch("INSERT_AFTER", name="g")]) == ["IST0151"]
    assert codes([patch("INSERT_AFTER")], [first]) == ["IST0151"]
    beside = patch("INSERT_AFTER", name="", listener={"filterChain": {"filter": {"name": "f"}}})
    assert codes([first], [beside]) == ["IST0151"]
    assert codes([patch("ADD", name="", version="1.2.*")], [patch("REMOVE", name="")]) == ["IST0155"]
    assert codes([patch("ADD", name="f")], [patch("INSERT_AFTER", name="f")]) == ["IST0151"]


@pytest.mark.row("IM-35")
def test_the_name_of_the_filter_beside() -> None:
    def unnamed(operation: str, beside: str, version: str = "") -> Json:
        made = patch(operation, version=version, listener={"filterChain": {"filter": {"name": beside}}})
        return {**made, "patch": {"operation": operation, "value": {"typed_config": {}}}}

    assert codes([unnamed("ADD", "f", "1.2.*")], [unnamed("REMOVE", "f")]) == ["IST0155"]
    assert codes([unnamed("ADD", "f", "1.2.*")], [unnamed("REMOVE", "g")]) == ["IST0151"]
    anywhere: Json = {"applyTo": "HTTP_FILTER", "patch": {"operation": "REMOVE", "value": {"typed_config": {}}}}
    assert codes([anywhere]) == ["IST0151"]


@pytest.mark.row("IM-35")
def test_a_patch_without_operation_ends_the_look() -> None:
    assert codes([{"applyTo": "HTTP_FILTER"}, patch("INSERT_BEFORE")]) == []
