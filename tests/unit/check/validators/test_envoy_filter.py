"""EnvoyFilter."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings


def patch(**fields: Any) -> dict[str, Any]:
    return {"configPatches": [{"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {}}, **fields}]}


@pytest.mark.row("EF-17")
@pytest.mark.parametrize(("spec", "wrong"), [
    (patch(match={"cluster": {"service": "a"}, "proxy": {"proxyVersion": "^1.*"}}), []),
    (patch(applyTo="INVALID"), ["applyTo"]),
    (patch(patch=None), ["patch"]),
    (patch(patch={}), ["patch.operation", "patch.value"]),
    (patch(patch={"operation": "REMOVE"}), []),
    (patch(patch={"operation": "MERGE", "value": {}, "filterClass": "AUTHZ"}), ["patch.filterClass"]),
    (patch(match={"listener": {}}), ["match"]),
    (patch(patch={"operation": "MERGE", "value": {"connect_timeout": "soon"}}), ["patch.value"]),
    (patch(patch={"operation": "MERGE", "value": {"typed_dns_resolver_config": {"typed_config": {"@type": "x/no.such"}}}}), ["patch.value"]),
    (patch(match={"proxy": {"proxyVersion": "[", "metadata": {"": "x"}}}), ["match.proxy.proxyVersion", "match.proxy.metadata"]),
])  # fmt: skip
def test_patches(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("EnvoyFilter", spec) == [f"spec.configPatches[0].{w}" for w in wrong]


def host(operation: str, value: dict[str, Any]) -> dict[str, Any]:
    return patch(applyTo="VIRTUAL_HOST", patch={"operation": operation, "value": value})


@pytest.mark.row("EF-17")
@pytest.mark.parametrize(("operation", "value", "good"), [
    ("MERGE", {"routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 418}}]}, True),
    ("MERGE", {"routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 8000}}]}, False),
    ("MERGE", {}, True),
    ("ADD", {"name": "x", "domains": ["x.example"]}, True),
    ("ADD", {"name": "x"}, False),
])  # fmt: skip
def test_what_envoy_would_refuse_is_not_sent_to_it(operation: str, value: dict[str, Any], good: bool) -> None:
    assert (errors("EnvoyFilter", host(operation, value)) == []) is good


@pytest.mark.row("EF-17")
def test_a_filter_needs_its_configuration_and_unknown_fields_are_told() -> None:
    def added(operation: str, **value: Any) -> dict[str, Any]:
        return patch(applyTo="HTTP_FILTER", patch={"operation": operation, "value": value})

    buffer = {"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer", "max_request_bytes": 9}
    where = ["spec.configPatches[0].patch.value"]
    assert errors("EnvoyFilter", added("INSERT_FIRST", name="x", typed_config=buffer)) == []
    assert errors("EnvoyFilter", added("INSERT_FIRST", name="x")) == where
    assert errors("EnvoyFilter", added("MERGE", name="x")) == []
    assert warnings("EnvoyFilter", added("MERGE", name="x", typo="y")) == where
    assert warnings("EnvoyFilter", added("MERGE", typed_config={**buffer, "typo": "y"})) == where
    assert warnings("EnvoyFilter", added("MERGE", typed_config=buffer)) == []


def test_waypoints_have_no_effect() -> None:
    assert warnings("EnvoyFilter", patch(match={"waypoint": {}})) == ["spec.configPatches[0].match.waypoint"]


@pytest.mark.row("EF-08", "EF-16")
def test_what_is_accepted_without_effect() -> None:
    assert warnings("EnvoyFilter", patch(applyTo="BOOTSTRAP")) == ["spec.configPatches[0].applyTo"]
    lua = {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"}
    value = {"operation": "ADD", "value": {"name": "x", "typed_config": lua}, "filterClass": "AUTHZ"}
    assert warnings("EnvoyFilter", patch(applyTo="HTTP_FILTER", patch=value)) == [
        "spec.configPatches[0].patch.filterClass"
    ]
