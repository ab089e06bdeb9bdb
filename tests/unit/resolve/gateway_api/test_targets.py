from __future__ import annotations

import pytest

from tests.gateway_world import gateway
from tests.scenes import Scene

POLICY = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: %s}
spec: {%s, action: DENY, rules: [{}]}
"""


def told(spec: str, namespace: str = "shop") -> list[tuple[str, str, str]]:
    found = Scene(gateway() + POLICY % (namespace, spec)).snapshot.findings
    return [(f.code, f.name, f.field) for f in found if f.kind == "AuthorizationPolicy"]


@pytest.mark.row("CM-07")
@pytest.mark.parametrize(
    ("spec", "namespace", "expected"),
    [
        ("targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]", "shop", []),
        ("targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: gw}", "shop", []),
        (
            "targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: absent}",
            "shop",
            [("IST0101", "p", "spec.targetRef")],
        ),
        (
            "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]",
            "bank",
            [("IST0101", "p", "spec.targetRefs[0]")],
        ),
        ("targetRefs: [{group: '', kind: Service, name: web}]", "shop", [("MZ0002", "p", "spec.targetRefs[0]")]),
    ],
)
def test_a_reference_that_reaches_no_proxy_is_told(spec: str, namespace: str, expected: list[object]) -> None:
    assert told(spec, namespace) == expected


@pytest.mark.row("CM-07")
@pytest.mark.row("GA-21")
def test_policies_of_every_kind_hold_on_the_gateway_that_they_name_alone() -> None:
    ref = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: %s}]"
    text = "".join(
        f"""
---
apiVersion: {group}
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec: {{{ref % target}{more}}}
"""
        for name, target in (("mine", "gw"), ("other", "else"))
        for group, kind, more in (
            ("security.istio.io/v1", "AuthorizationPolicy", ", action: DENY, rules: [{}]"),
            ("security.istio.io/v1", "RequestAuthentication", ", jwtRules: [{issuer: i, jwks: '{\"keys\": []}'}]"),
            (
                "networking.istio.io/v1alpha3",
                "EnvoyFilter",
                ", configPatches: [{applyTo: LISTENER, patch: {operation: REMOVE}}]",
            ),
            ("extensions.istio.io/v1alpha1", "WasmPlugin", ", url: 'file:///x.wasm'"),
        )
    )
    scene = Scene(gateway() + text)
    on_gateway, on_pod = scene.view("shop/gw-0"), scene.view("shop/web-0")
    policies = on_gateway.scope.policies
    assert [o.name for o in (*policies.deny, *policies.request_authentications)] == ["mine", "mine"]
    assert [p.owner.name for p in on_gateway.patches.patches] == ["mine"]
    assert [item.owner.name for item, _ in on_gateway.plugins.entries] == ["mine"]
    assert on_pod.inbound is not None
    assert not on_pod.inbound.policies
    assert not on_pod.patches.patches
    assert not on_pod.plugins.entries
