"""Which policies are in force on one workload."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.features import Features
from mizzen.resolve.policies import policies
from tests.meshes import SECURITY, new

GATEWAY = "gateway.networking.k8s.io/gateway-name"


def policy(name: str, namespace: str = "a", action: str = "DENY", **spec: Any) -> Object:
    return new(SECURITY, "AuthorizationPolicy", namespace, name, {"action": action, "rules": [{}], **spec})


def in_force(*objects: Object, namespace: str = "a", **labels: str) -> list[str]:
    found = policies(objects, (), namespace, {key.replace("__", "/"): v for key, v in labels.items()}, "root")
    return [o.name for group in (found.custom, found.audit, found.deny, found.allow) for o in group]


@pytest.mark.row("CM-06")
def test_all_labels_must_match_and_an_empty_selector_takes_the_whole_namespace() -> None:
    both = policy("both", selector={"matchLabels": {"app": "web", "version": "v1"}})
    empty = policy("empty", selector={})
    assert in_force(both, empty, app="web", version="v1") == ["both", "empty"]
    assert in_force(both, empty, app="web") == ["empty"]
    assert in_force(both, empty, app="web", version="v2") == ["empty"]
    assert in_force(both, empty, namespace="b", app="web", version="v1") == []


@pytest.mark.row("AP-07")
def test_the_root_namespaces_policies_reach_every_namespace_their_selector_included() -> None:
    root = policy("root", "root", selector={"matchLabels": {"app": "web"}})
    assert in_force(root, policy("own", "b"), namespace="b", app="web") == ["root", "own"]
    assert in_force(root, namespace="c", app="web") == ["root"]
    assert in_force(root, namespace="c", app="other") == []


@pytest.mark.row("AP-07")
def test_a_policy_for_a_gateway_is_for_the_pods_of_that_gateway_only() -> None:
    refs = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}]
    attached = policy("attached", targetRefs=refs)
    assert in_force(attached, **{GATEWAY: "gw"}) == ["attached"]
    assert in_force(attached, **{GATEWAY: "other"}) == []
    assert in_force(attached, app="web") == []
    assert in_force(policy("root", "root", targetRefs=refs), **{GATEWAY: "gw"}) == []


@pytest.mark.row("CM-07")
def test_a_gateway_honours_selectors_too_unless_it_is_told_not_to() -> None:
    everything = policy("everything")
    refs = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}]
    attached = policy("attached", targetRef=refs[0])
    for features, expected in (
        (Features(), ["everything", "attached"]),
        (Features(gateway_selectors=False), ["attached"]),
    ):
        found = policies((everything, attached), (), "a", {GATEWAY: "gw"}, "root", features=features)
        assert [o.name for o in found.deny] == expected
        assert [o.name for o in policies((everything,), (), "a", {}, "root", features=features).deny] == ["everything"]


def test_by_action_and_without_one_it_allows() -> None:
    unsaid = new(SECURITY, "AuthorizationPolicy", "a", "unsaid", {"rules": [{}]})
    found = policies((policy("audit", action="AUDIT"), policy("deny"), unsaid), (), "a", {}, "root")
    assert [[o.name for o in group] for group in (found.audit, found.deny, found.allow)] == [
        ["audit"],
        ["deny"],
        ["unsaid"],
    ]
