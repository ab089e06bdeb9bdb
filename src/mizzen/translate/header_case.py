"""Names of HTTP/1 headers in the case in which they came: ``proxyHeaders.preserveHttp1HeaderCase`` (row PC-13).

Envoy keeps the case only where both the side that reads and the side that writes are told to.
"""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2, protocol_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.http.header_formatters.preserve_case.v3 import preserve_case_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

from mizzen.api.mesh_config import ProxyConfig
from mizzen.translate.messages import any_of

_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def kept(config: ProxyConfig) -> bool:
    """Whether the case is to be kept."""
    return config.proxy_headers.get("preserveHttp1HeaderCase") is True


def keep_in_requests(manager: hcm_pb2.HttpConnectionManager) -> None:
    _keep(manager.http_protocol_options)


def keep_towards(cluster: cluster_pb2.Cluster) -> None:
    """On a cluster that speaks HTTP/1 or what the client spoke; one of HTTP/2 has lower case by its protocol."""
    options = http_protocol_options_pb2.HttpProtocolOptions()
    packed = cluster.typed_extension_protocol_options.get(_OPTIONS)
    if packed is not None:
        packed.Unpack(options)
    if options.WhichOneof("upstream_protocol_options") == "use_downstream_protocol_config":
        _keep(options.use_downstream_protocol_config.http_protocol_options)
    elif not options.explicit_http_config.HasField("http2_protocol_options"):
        _keep(options.explicit_http_config.http_protocol_options)
    cluster.typed_extension_protocol_options[_OPTIONS].CopyFrom(any_of(options))


def _keep(options: protocol_pb2.Http1ProtocolOptions) -> None:
    formatter = extension_pb2.TypedExtensionConfig(
        name="preserve_case", typed_config=any_of(preserve_case_pb2.PreserveCaseFormatterConfig())
    )
    options.header_key_format.stateful_formatter.CopyFrom(formatter)
