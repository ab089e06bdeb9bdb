"""A patch can make a cluster speak HTTP/2: then what its mTLS offers has to say so, too (rows EF-06, OL-22).

Istio's own proxy looks at the patched cluster for each request (``istio.alpn``). Ours has the offer in the cluster, made before
the patch; left alone, the server would negotiate ``http/1.1`` and read the client's HTTP/2 preface as a bad request.
"""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

from mizzen.translate import alpn

_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_FACT = "alpn"


def speaks_http2(cluster: cluster_pb2.Cluster) -> bool:
    """Whether requests to the cluster always go out as HTTP/2. ``typed_extension_protocol_options`` beat the old field, as in Envoy."""
    packed = cluster.typed_extension_protocol_options.get(_OPTIONS)
    if packed is None:
        return bool(cluster.HasField("http2_protocol_options"))
    options = http_protocol_options_pb2.HttpProtocolOptions()
    return bool(packed.Unpack(options) and options.explicit_http_config.HasField("http2_protocol_options"))


def follow(cluster: cluster_pb2.Cluster) -> None:
    """Let the mesh's mTLS offer HTTP/2 where a patch made the cluster speak it."""
    if not speaks_http2(cluster):
        return
    for socket in _sockets(cluster):
        context = tls_pb2.UpstreamTlsContext()
        if socket.typed_config.Unpack(context) and tuple(context.common_tls_context.alpn_protocols) == alpn.HTTP11:
            context.common_tls_context.alpn_protocols[:] = alpn.HTTP2
            socket.typed_config.Pack(context)
    facts = cluster.metadata.filter_metadata
    if "istio" in facts and _FACT in facts["istio"]:
        facts["istio"][_FACT] = "h2"


def _sockets(cluster: cluster_pb2.Cluster) -> Iterator[base_pb2.TransportSocket]:
    yield cluster.transport_socket
    for match in cluster.transport_socket_matches:
        yield match.transport_socket
