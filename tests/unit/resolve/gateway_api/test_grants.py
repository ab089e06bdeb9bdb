from __future__ import annotations

import pytest

from tests.gateway_world import gateway, route, world

GRANT = """
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: bank}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: "", kind: Service, name: vault}]
"""


@pytest.mark.row("GA-14")
@pytest.mark.parametrize(
    ("kind", "source", "target", "name", "permitted"),
    [
        ("HTTPRoute", "shop", ("", "Service"), "vault", True),
        ("HTTPRoute", "shop", ("", "Service"), "other", False),
        ("HTTPRoute", "plain", ("", "Service"), "vault", False),
        ("TCPRoute", "shop", ("", "Service"), "vault", False),
        ("HTTPRoute", "shop", ("", "Secret"), "vault", False),
        ("HTTPRoute", "bank", ("", "Service"), "other", True),
    ],
)
def test_a_grant_is_for_one_kind_of_one_namespace_and_one_target(
    kind: str, source: str, target: tuple[str, str], name: str, permitted: bool
) -> None:
    assert world(GRANT).grants.permits(kind, source, target, "bank", name) is permitted


def test_a_grant_without_a_name_is_for_every_object_of_the_kind() -> None:
    found = world(GRANT.replace(", name: vault", "")).grants
    assert found.permits("HTTPRoute", "shop", ("", "Service"), "bank", "anything")


def test_kinds_that_nothing_refers_to_are_left_out() -> None:
    found = world(GRANT.replace("kind: Service, name: vault", "kind: Node") + gateway() + route("rules: []", name="x"))
    assert not found.grants.allowed
