"""Responses put together by hand are what protobuf would have written."""

import pytest
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.model.resources import CLUSTER, Resource
from mizzen.xds import Response

RESOURCES = (Resource.of(CLUSTER, "a", b"\n\x01a"), Resource.of(CLUSTER, "b" * 300, b""))


@pytest.mark.parametrize("removed", [(), ("x", "y")])
def test_delta(removed: tuple[str, ...]) -> None:
    encoded = Response(CLUSTER, "n", "v", RESOURCES, removed).encode()
    read = discovery_pb2.DeltaDiscoveryResponse.FromString(encoded)
    assert read.SerializeToString(deterministic=True) == encoded
    assert [(r.name, r.version, r.resource.value) for r in read.resources] == [
        (r.name, r.version, r.body) for r in RESOURCES
    ]
    assert (list(read.removed_resources), read.nonce, read.system_version_info) == (list(removed), "n", "v")


def test_state_of_the_world() -> None:
    encoded = Response(CLUSTER, "n", "v", RESOURCES, delta=False).encode()
    read = discovery_pb2.DiscoveryResponse.FromString(encoded)
    assert read.SerializeToString(deterministic=True) == encoded
    assert [(r.type_url, r.value) for r in read.resources] == [(CLUSTER, r.body) for r in RESOURCES]
