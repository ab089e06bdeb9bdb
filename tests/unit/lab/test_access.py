"""The roles of a lab in RBAC mode."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.lab import access, builtin
from mizzen.model.access import AuthorizationMode, SecretAccess
from mizzen.model.config import Config
from mizzen.model.features import Features
from mizzen.resolve import build


def allowed(*more: dict[str, Any]) -> SecretAccess:
    objects = [_object(raw) for raw in (*access.objects(builtin.GATEWAYS), *more)]
    features = Features(authorization=AuthorizationMode.RBAC)
    return build(Config(features=features).with_objects(objects)).secret_access


def _object(raw: dict[str, Any]) -> Object:
    decoded = decode(raw)
    assert decoded.object is not None
    assert not decoded.problems
    return decoded.object


def binding(role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "shop"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "edge"}],
    }


@pytest.mark.row("GW-31")
def test_the_labs_gateways_may_list_the_secrets_of_their_namespace() -> None:
    made = builtin.objects("n", "10.9.0.2", AuthorizationMode.RBAC)
    accounts = [raw["metadata"]["name"] for raw in made if raw["kind"] == "ServiceAccount"]
    assert len(accounts) == 2
    found = allowed()
    assert all(found.allows("istio-system", account) for account in accounts)
    assert not found.allows("istio-system", "default")
    assert not found.allows("shop", accounts[0])


def test_without_rbac_the_lab_has_no_roles() -> None:
    assert not [raw for raw in builtin.objects("n", "10.9.0.2") if raw["kind"].endswith(("Role", "Binding"))]


@pytest.mark.row("GW-31")
@pytest.mark.parametrize(
    ("role", "allows"), [("cluster-admin", True), ("admin", True), ("edit", True), ("view", False)]
)
def test_kubernetes_own_roles_for_people(role: str, allows: bool) -> None:
    assert allowed(binding(role)).allows("shop", "edge") is allows


@pytest.mark.row("GW-31")
def test_a_users_role_joins_view_by_its_label() -> None:
    mine = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "mine", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}],
    }
    assert allowed(binding("view"), mine).allows("shop", "edge")
