"""Every type of resource can be subscribed to, in both dialects (row XD-12)."""

from __future__ import annotations

import pytest
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.resources import PUSH_ORDER, Resource, ResourceSet
from mizzen.xds import DeltaSession, SotwSession

TYPES = {
    "envoy.config.cluster.v3.Cluster",
    "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "envoy.config.listener.v3.Listener",
    "envoy.config.route.v3.RouteConfiguration",
    "envoy.extensions.transport_sockets.tls.v3.Secret",
    "envoy.config.core.v3.TypedExtensionConfig",
}
HELD = ResourceSet.of([Resource.of(url, "it", b"") for url in PUSH_ORDER])


def test_the_types_are_envoys() -> None:
    assert {f"type.googleapis.com/{name}" for name in TYPES} <= set(PUSH_ORDER)


@pytest.mark.row("XD-12")
@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_subscription_is_answered_with_the_resource(name: str) -> None:
    url = f"type.googleapis.com/{name}"
    delta, whole = DeltaSession(), SotwSession()
    delta.offer(HELD, 1)
    whole.offer(HELD, 1)
    requests = (
        (delta, discovery_pb2.DeltaDiscoveryRequest(type_url=url, resource_names_subscribe=["it"])),
        (whole, discovery_pb2.DiscoveryRequest(type_url=url, resource_names=["it"])),
    )
    for session, request in requests:
        (response,) = session.receive(request)
        assert response.type_url == url
        assert [held.name for held in response.resources] == ["it"]
