"""``proxyProtocol`` of a DestinationRule: the PROXY header before whatever the connection carries (row DR-54)."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2, proxy_protocol_pb2
from envoy.extensions.transport_sockets.proxy_protocol.v3 import upstream_proxy_protocol_pb2
from envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2

from mizzen.api.destination_rule import ProxyProtocol
from mizzen.translate.messages import any_of

_NAME = "envoy.transport_sockets.upstream_proxy_protocol"
_VERSIONS = {"V1": proxy_protocol_pb2.ProxyProtocolConfig.V1, "V2": proxy_protocol_pb2.ProxyProtocolConfig.V2}


def wrap(cluster: cluster_pb2.Cluster, settings: ProxyProtocol) -> None:
    """Put the header in front of every socket that the cluster may use."""
    for match in cluster.transport_socket_matches:
        match.transport_socket.CopyFrom(_wrapped(match.transport_socket, settings))
    if not cluster.transport_socket_matches:
        cluster.transport_socket.CopyFrom(_wrapped(cluster.transport_socket, settings))


def _wrapped(inner: base_pb2.TransportSocket, settings: ProxyProtocol) -> base_pb2.TransportSocket:
    if not inner.name:
        raw = any_of(raw_buffer_pb2.RawBuffer())
        inner = base_pb2.TransportSocket(name="envoy.transport_sockets.raw_buffer", typed_config=raw)
    config = upstream_proxy_protocol_pb2.ProxyProtocolUpstreamTransport(transport_socket=inner)
    config.config.version = _VERSIONS[settings.version]
    return base_pb2.TransportSocket(name=_NAME, typed_config=any_of(config))
