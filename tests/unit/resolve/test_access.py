"""RBAC objects, judged as Kubernetes does, about the listing of Secrets."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Object
from mizzen.model.access import AuthorizationMode, SecretAccess, reviewed
from mizzen.model.config import Config
from mizzen.model.features import Features
from mizzen.resolve import build
from mizzen.resolve.access import secret_access
from tests.meshes import new

API = "rbac.authorization.k8s.io/v1"
LIST = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch", "list"]}
EDGE = {"kind": "ServiceAccount", "name": "edge", "namespace": "shop"}
RBAC = Features(authorization=AuthorizationMode.RBAC)


def role(name: str, *rules: dict[str, Any], namespace: str = "shop") -> Object:
    return new(API, "Role", namespace, name, {}, rules=list(rules))


def cluster_role(name: str, *rules: dict[str, Any], labels: dict[str, str] | None = None, **more: Any) -> Object:
    return new(API, "ClusterRole", "", name, {}, meta={"labels": labels or {}}, rules=list(rules), **more)


def bound(to: str, *subjects: dict[str, Any], kind: str = "Role", namespace: str = "shop") -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": to}
    return new(API, "RoleBinding", namespace, "b", {}, roleRef=reference, subjects=list(subjects))


def bound_everywhere(to: str, *subjects: dict[str, Any]) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": to}
    return new(API, "ClusterRoleBinding", "", "b", {}, roleRef=reference, subjects=list(subjects))


def access(*objects: Object) -> SecretAccess:
    return build(Config(features=RBAC).with_objects(objects)).secret_access


def edge(*objects: Object) -> bool:
    return access(*objects).allows("shop", "edge")


@pytest.mark.row("GW-31")
def test_everyone_may_where_the_api_server_allows_always() -> None:
    assert build(Config()).secret_access.allows("shop", "edge")
    assert not access().allows("shop", "edge")


@pytest.mark.row("GW-31")
def test_reviews_of_an_api_server_count_in_place_of_the_objects() -> None:
    config = Config(features=RBAC, secret_access=reviewed([("bank", "edge")]))
    found = build(config.with_objects([role("r", LIST), bound("r", EDGE)])).secret_access
    assert (found.allows("bank", "edge"), found.allows("shop", "edge")) == (True, False)


@pytest.mark.row("GW-31")
@pytest.mark.parametrize(
    ("rule", "allows"),
    [
        (LIST, True),
        ({**LIST, "verbs": ["*"]}, True),
        ({**LIST, "apiGroups": ["*"]}, True),
        ({**LIST, "resources": ["*"]}, True),
        ({**LIST, "resources": ["configmaps", "secrets"]}, True),
        ({**LIST, "verbs": ["get", "watch"]}, False),
        ({**LIST, "apiGroups": ["apps"]}, False),
        ({**LIST, "apiGroups": []}, False),
        ({**LIST, "resources": ["configmaps"]}, False),
        ({**LIST, "resources": ["secrets/status", "*/secrets"]}, False),
        ({**LIST, "resourceNames": ["cert"]}, False),
        ({"nonResourceURLs": ["*"], "verbs": ["*"]}, False),
    ],
)
def test_which_rules_let_secrets_be_listed(rule: dict[str, Any], allows: bool) -> None:
    assert edge(role("r", rule), bound("r", EDGE)) is allows
    assert edge(role("r", {**LIST, "verbs": ["get"]}, rule), bound("r", EDGE)) is allows, "each rule by itself"


@pytest.mark.row("GW-31")
def test_verb_and_resource_must_be_of_one_rule() -> None:
    halves = {**LIST, "verbs": ["get"]}, {**LIST, "resources": ["pods"]}
    assert not edge(role("r", *halves), bound("r", EDGE))


@pytest.mark.row("GW-31")
@pytest.mark.parametrize(
    ("subject", "allows"),
    [
        (EDGE, True),
        ({"kind": "ServiceAccount", "name": "edge"}, True),
        ({**EDGE, "namespace": "bank"}, False),
        ({**EDGE, "name": "other"}, False),
        ({"kind": "User", "name": "system:serviceaccount:shop:edge"}, True),
        ({"kind": "User", "name": "edge"}, False),
        ({"kind": "Group", "name": "system:serviceaccounts"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:shop"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:bank"}, False),
        ({"kind": "Group", "name": "system:masters"}, False),
        ({"kind": "Robot", "name": "edge"}, False),
    ],
)
def test_which_subjects_a_service_account_is(subject: dict[str, Any], allows: bool) -> None:
    assert edge(role("r", LIST), bound("r", subject)) is allows


@pytest.mark.row("GW-31")
def test_roles_and_bindings_of_another_namespace_do_not_count() -> None:
    assert not edge(role("r", LIST, namespace="bank"), bound("r", EDGE))
    assert not edge(role("r", LIST, namespace="bank"), bound("r", EDGE, namespace="bank"))
    assert not edge(bound("r", EDGE)), "a role that is not there"


@pytest.mark.row("GW-31")
def test_cluster_roles_hold_where_they_are_bound() -> None:
    everywhere = cluster_role("c", LIST)
    assert edge(everywhere, bound("c", EDGE, kind="ClusterRole"))
    assert not edge(everywhere, bound("c", EDGE))
    assert edge(everywhere, bound_everywhere("c", EDGE))
    assert not edge(everywhere, bound_everywhere("c", {"kind": "ServiceAccount", "name": "edge"})), "no namespace"
    assert not edge(role("c", LIST), bound_everywhere("c", EDGE)), "binds cluster roles alone"
    both = access(everywhere, bound_everywhere("c", {"kind": "Group", "name": "system:serviceaccounts"}))
    assert both.allows("bank", "teller")


@pytest.mark.row("GW-31")
def test_a_cluster_role_that_gathers_has_the_rules_of_those_it_gathers() -> None:
    def gathering(name: str, label: str, *rules: dict[str, Any], labels: dict[str, str] | None = None) -> Object:
        selectors = {"clusterRoleSelectors": [{"matchLabels": {label: "true"}}, {"matchExpressions": "no list"}]}
        return cluster_role(name, *rules, labels=labels, aggregationRule=selectors)

    binding = bound("top", EDGE, kind="ClusterRole")
    leaf = cluster_role("leaf", LIST, labels={"to-middle": "true"})
    top = gathering("top", "to-top")
    middle = gathering("middle", "to-middle", labels={"to-top": "true"})
    assert edge(binding, top, middle, leaf)
    assert not edge(binding, top, leaf)
    assert not edge(binding, gathering("top", "to-top", LIST)), "its own rules are none"
    assert not edge(binding, gathering("top", "round", labels={"round": "true"})), "nor does it gather itself"
    assert not edge(binding, top, gathering("middle", "to-top", labels={"to-top": "true"})), "round in a circle"


@pytest.mark.row("GW-31")
def test_a_change_that_changes_no_grant_changes_nothing() -> None:
    config = Config(features=RBAC).with_objects([role("r", LIST), bound("r", EDGE)])
    first = build(config)
    second = build(config.with_objects([role("r", {**LIST, "verbs": ["*"]})]), first)
    assert second.secret_access is first.secret_access
    third = build(config.with_objects(remove=[("RoleBinding", ("shop", "b"))]), second)
    assert not third.secret_access.allows("shop", "edge")


def test_grants_need_no_whole_mesh() -> None:
    nothing: dict[tuple[str, str], Object] = {}
    binding, own = bound("r", EDGE), role("r", LIST)
    found = secret_access(
        AuthorizationMode.RBAC, None, {("shop", "r"): own}, {("shop", "b"): binding}, nothing, nothing
    )
    assert found.allows("shop", "edge")
