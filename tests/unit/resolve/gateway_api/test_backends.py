from __future__ import annotations

import pytest

from mizzen.api.gateway_routes import BackendRef
from mizzen.api.meta import Object
from mizzen.resolve.gateway_api.backends import NOWHERE, Hard, target
from tests.gateway_world import gateway, made, route, world

GRANT_SERVICES = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: g, namespace: istio-system}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: "", kind: Service}]
"""


def shop_route() -> Object:
    return made(gateway() + route("rules: []")).routes[0].route


@pytest.mark.row("GA-20")
@pytest.mark.parametrize(
    ("ref", "host", "reason"),
    [
        (BackendRef(name="web", port=80), "web.shop.svc.cluster.local", ""),
        (BackendRef(name="absent", port=80), "absent.shop.svc.cluster.local", "BackendNotFound"),
        (BackendRef(name="edge", namespace="istio-system", port=80), "", "RefNotPermitted"),
        (BackendRef(kind="Bucket", group="storage.example.com", name="b", port=80), "", "InvalidKind"),
        (
            BackendRef(kind="Hostname", group="networking.istio.io", name="web.shop.svc.cluster.local", port=80),
            "web.shop.svc.cluster.local",
            "",
        ),
    ],
)
def test_where_a_backend_leads(ref: BackendRef, host: str, reason: str) -> None:
    found = target(shop_route(), ref, world(gateway()), mesh=False)
    assert found.destination.host == host
    assert (found.destination == NOWHERE) is (not host)
    assert (found.problem.reason if found.problem else "") == reason


@pytest.mark.parametrize(
    "ref",
    [
        BackendRef(name="web"),
        BackendRef(name="web.shop", port=80),
        BackendRef(kind="Hostname", group="networking.istio.io", name="a.b", namespace="x", port=1),
    ],
)
def test_what_no_cluster_could_be_made_of(ref: BackendRef) -> None:
    with pytest.raises(Hard) as error:
        target(shop_route(), ref, world(gateway()), mesh=False)
    assert error.value.problem.reason == "InvalidDestination"


@pytest.mark.row("GA-14")
def test_another_namespace_needs_a_grant_but_not_in_the_mesh() -> None:
    ref = BackendRef(name="edge", namespace="istio-system", port=80)
    assert target(shop_route(), ref, world(gateway() + GRANT_SERVICES), mesh=False).problem is None
    assert target(shop_route(), ref, world(gateway()), mesh=True).problem is None
