from __future__ import annotations

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.proxy_protocol.v3 import upstream_proxy_protocol_pb2 as pb

from mizzen.api.destination_rule import ProxyProtocol
from mizzen.translate import proxy_protocol
from tests.scenes import unpacked


@pytest.mark.row("DR-54")
@pytest.mark.parametrize(("written", "version"), [("V1", 0), ("V2", 1)])
def test_the_header_goes_before_every_socket(written: str, version: int) -> None:
    cluster = cluster_pb2.Cluster()
    proxy_protocol.wrap(cluster, ProxyProtocol(version=written))
    config = unpacked(cluster.transport_socket.typed_config, pb.ProxyProtocolUpstreamTransport)
    assert config.config.version == version
    assert config.transport_socket.name == "envoy.transport_sockets.raw_buffer"

    cluster = cluster_pb2.Cluster()
    for name in ("one", "two"):
        cluster.transport_socket_matches.add(name=name).transport_socket.name = name
    proxy_protocol.wrap(cluster, ProxyProtocol(version=written))
    inner = [
        unpacked(m.transport_socket.typed_config, pb.ProxyProtocolUpstreamTransport).transport_socket.name
        for m in cluster.transport_socket_matches
    ]
    assert inner == ["one", "two"]
    assert not cluster.HasField("transport_socket")
