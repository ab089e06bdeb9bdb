"""RBAC objects as users write them."""

from __future__ import annotations

import pytest

from mizzen.api.decode import decode
from mizzen.api.rbac import Binding, ClusterRole, PolicyRule, Role, Subject

API = "rbac.authorization.k8s.io"


def test_a_role_with_istios_rule() -> None:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch", "list"]}
    decoded = decode({"apiVersion": f"{API}/v1", "kind": "Role", "metadata": {"name": "sds"}, "rules": [rule]})
    assert not decoded.problems
    assert decoded.object is not None
    assert decoded.object.body == Role(
        rules=(PolicyRule(verbs=("get", "watch", "list"), api_groups=("",), resources=("secrets",)),)
    )


def test_a_binding_with_its_subjects() -> None:
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "edge"}
    raw = {
        "apiVersion": f"{API}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "system:b"},
        "roleRef": {"apiGroup": API, "kind": "ClusterRole", "name": "c"},
        "subjects": [subject],
    }
    decoded = decode(raw)
    assert not decoded.problems
    assert decoded.object is not None
    body = decoded.object.body
    assert isinstance(body, Binding)
    assert (body.role_ref.name, body.subjects) == ("c", (Subject(**subject),))
    assert decoded.namespace == "", "cluster-scoped"


@pytest.mark.parametrize("raw", [{"rules": None}, {"rules": None, "aggregationRule": {"clusterRoleSelectors": None}}])
def test_what_is_null_is_empty(raw: dict[str, object]) -> None:
    decoded = decode({"apiVersion": f"{API}/v1", "kind": "ClusterRole", "metadata": {"name": "c"}, **raw})
    assert not decoded.problems
    assert decoded.object is not None
    assert isinstance(decoded.object.body, ClusterRole)
    assert decoded.object.body.rules == ()


def test_rules_that_are_no_list_are_refused() -> None:
    decoded = decode({"apiVersion": f"{API}/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": {"verbs": ["*"]}})
    assert decoded.object is None
    assert [problem.path for problem in decoded.problems] == ["rules"]
