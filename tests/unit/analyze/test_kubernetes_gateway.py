from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.kubernetes_gateway import ineffective_selectors, old_definitions
from tests.unit.analyze.estates import found, messages, obj

GATEWAY = obj("Pod", "p", {}, labels={"gateway.networking.k8s.io/gateway-name": "edge", "app": "a"})
RULES: dict[str, Any] = {"RequestAuthentication": {"jwtRules": []}, "WasmPlugin": {"url": "oci://x"}}


@pytest.mark.row("IM-42")
@pytest.mark.parametrize("kind", ["AuthorizationPolicy", "RequestAuthentication", "Telemetry", "WasmPlugin"])
def test_a_selector_on_the_pods_of_a_gateway(kind: str) -> None:
    spec = RULES.get(kind, {})
    selector = {"selector": {"matchLabels": {"app": "a"}}}
    policy = obj(kind, "x", {**spec, **selector})
    assert found(ineffective_selectors, policy, GATEWAY) == [("IST0166", f"{kind} default/x")]
    assert "Gateway edge" in messages(ineffective_selectors, policy, GATEWAY)[0]
    told = [("IST0166", f"{kind} default/x")]
    assert found(ineffective_selectors, obj(kind, "x", {**spec, "selector": {}}), GATEWAY) == told
    assert found(ineffective_selectors, obj(kind, "x", spec), GATEWAY) == []
    assert found(ineffective_selectors, obj(kind, "x", {**spec, **selector}, "other"), GATEWAY) == []
    assert found(ineffective_selectors, policy, obj("Pod", "p", {}, labels={"app": "a"})) == []
    target = {"targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}}
    assert found(ineffective_selectors, obj(kind, "x", {**spec, **selector, **target}), GATEWAY) == []


@pytest.mark.row("IM-50")
@pytest.mark.parametrize(("name", "version", "told"), [
    ("grpcroutes", "v1.0.0", True), ("grpcroutes", "v1.1.0", False), ("grpcroutes", "v1.1.0-rc1", False),
    ("tcproutes", "v1.5.9", True), ("tlsroutes", "v1.5.0", False), ("backendtlspolicies", "v1.4.0", False),
    ("tlsroutes", "1.4.9", True), ("backendtlspolicies", "v1.3.0", True), ("tcproutes", "v1.6.0", False),
    ("httproutes", "v0.1.0", False), ("tcproutes", "", False), ("tcproutes", "new", False),
])  # fmt: skip
def test_definitions_that_are_too_old(name: str, version: str, told: bool) -> None:
    noted = {"annotations": {"gateway.networking.k8s.io/bundle-version": version}} if version else {}
    crd = obj("CustomResourceDefinition", f"{name}.gateway.networking.k8s.io", {}, **noted)
    assert [code for code, _ in found(old_definitions, crd)] == (["IST0176"] if told else [])
