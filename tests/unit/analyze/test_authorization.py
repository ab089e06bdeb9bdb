from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.authorization import authorization_policies
from tests.unit.analyze.estates import Json, fields, found, injected, meshed, messages, obj, pod


def policy(namespace: str = "default", selector: dict[str, str] | None = None, **spec: Any) -> Json:
    wanted = {} if selector is None else {"selector": {"matchLabels": selector}}
    return obj("AuthorizationPolicy", "p", {**wanted, **spec}, namespace)


TOLD = [("IST0127", "AuthorizationPolicy default/p")]


@pytest.mark.row("IM-16")
def test_a_policy_that_selects_nothing() -> None:
    assert found(authorization_policies, policy(selector={"app": "b"}), meshed("a", app="a")) == TOLD
    assert found(authorization_policies, policy(selector={"app": "a"}), meshed("a", app="a")) == []
    assert found(authorization_policies, policy()) == TOLD
    assert found(authorization_policies, policy(), meshed("a")) == []
    assert found(authorization_policies, policy(), meshed("a", "other")) == TOLD


@pytest.mark.row("IM-16")
def test_only_pods_of_the_mesh_count() -> None:
    assert found(authorization_policies, policy(), pod("a")) == TOLD
    assert found(authorization_policies, policy(), pod("a"), injected("default")) == []
    out = obj("Pod", "a", {}, labels={"sidecar.istio.io/inject": "false"})
    assert found(authorization_policies, policy(), out, injected("default")) == TOLD
    ambient = obj("Pod", "a", {}, annotations={"ambient.istio.io/redirection": "enabled"})
    assert found(authorization_policies, policy(), ambient) == []


@pytest.mark.row("IM-16")
def test_a_policy_of_the_root_namespace_is_for_all() -> None:
    assert found(authorization_policies, policy("istio-system")) == []
    wanted = policy("istio-system", {"app": "a"})
    assert found(authorization_policies, wanted, meshed("x", "far", app="a")) == []
    assert [code for code, _ in found(authorization_policies, wanted, meshed("x", "far", app="b"))] == ["IST0127"]
    elsewhere = {"rootNamespace": "root"}
    assert found(authorization_policies, policy("root"), mesh=elsewhere) == []


@pytest.mark.row("IM-16")
def test_the_text_names_the_labels() -> None:
    assert "(labels: none)" in messages(authorization_policies, policy())[0]
    assert "app=b,version=v1" in messages(authorization_policies, policy(selector={"version": "v1", "app": "b"}))[0]


@pytest.mark.row("IM-03")
def test_namespaces_that_are_not_there() -> None:
    sources = [
        {
            "source": {
                "namespaces": ["ghost", "DEF*", "*ault", "*"],
                "notNamespaces": ["x-*", "default", "*xault", "defx*"],
            }
        }
    ]
    where = policy(rules=[{"from": sources}])
    assert fields(authorization_policies, where, meshed("a"), obj("Namespace", "default")) == [
        ("IST0101", "spec.rules[0].from[0].source.namespaces[0]"),
        *(("IST0101", f"spec.rules[0].from[0].source.notNamespaces[{at}]") for at in (0, 2, 3)),
    ]
