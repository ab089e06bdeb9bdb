"""The filter ``istio.alpn``: mTLS that carries HTTP says so in its ALPN, so that the server picks its HTTP chain (row OL-22).

Upstream Envoy reads the ALPN of the next connection from filter state. The filter needs one fact of the cluster, the
string ``alpn`` in its metadata ``istio``; ``alpn_override`` there, which a rule's own TLS sets to "false", beats it:

==============  ==================================================================================
absent          nothing is set: the cluster's own ``alpn_protocols`` hold (declared HTTP ports, DR TLS)
``downstream``  the upstream speaks what the client spoke: h2 to h2, anything else as HTTP/1.1
``http/1.1``    HTTP/1.1 whatever the client spoke (a gateway's undeclared ports)
``h2``          HTTP/2 whatever the client spoke
==============  ==================================================================================
"""

from __future__ import annotations

from envoy.extensions.filters.common.set_filter_state.v3 import value_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2

from mizzen.translate import filters as f

HTTP11 = ("istio-http/1.1", "istio", "http/1.1")
HTTP2 = ("istio-h2", "istio", "h2")
TCP = ("istio",)
"""What a cluster itself offers where it carries bytes. Not ``istio-peer-exchange``: nothing behind it speaks that."""

_KEY = "envoy.network.application_protocols"
_FACTS = "xds.cluster_metadata.filter_metadata['istio']"
_DECLARED = (
    f"has(xds.cluster_metadata) && 'istio' in xds.cluster_metadata.filter_metadata && 'alpn' in {_FACTS}"
    f" && !('alpn_override' in {_FACTS})"
)
_SPOKEN = f"{_FACTS}['alpn'] == 'h2' || ({_FACTS}['alpn'] == 'downstream' && request.protocol == 'HTTP/2')"


def http_filter() -> f.HttpFilter:
    value = value_pb2.FilterStateValue(
        object_key=_KEY, skip_if_empty=True, shared_with_upstream=value_pb2.FilterStateValue.ONCE
    )
    value.format_string.omit_empty_values = True
    chosen = f"{_SPOKEN} ? '{','.join(HTTP2)}' : '{','.join(HTTP11)}'"
    value.format_string.text_format_source.inline_string = f"%CEL({_DECLARED} ? ({chosen}) : '')%"
    return f.http(f.ALPN, set_filter_state_pb2.Config(on_request_headers=[value]))
