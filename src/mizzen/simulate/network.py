"""The network filters of a chain: the last one takes the connection."""

from __future__ import annotations

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2

from mizzen.simulate import action, http
from mizzen.simulate.call import Call
from mizzen.simulate.handshake import ends_tls
from mizzen.simulate.outcome import Candidate, Failure, Stage, Step
from mizzen.simulate.reading import Reading, unpacked
from mizzen.simulate.walk import Walk

_ANSWERING = ("rbac", "ext_authz", "ratelimit", "wasm", "trafficextension", "connection_limit")


def serve(chain: components.FilterChain, call: Call, reading: Reading, walk: Walk) -> None:
    """Walk ``call`` through the chain's filters, after the handshake."""
    for entry in chain.filters:
        manager = unpacked(entry.typed_config, hcm_pb2.HttpConnectionManager)
        if manager is not None:
            if call.speech.is_http and (ends_tls(chain) or not call.encrypted):
                http.serve(manager, call, reading, walk)
            else:
                what = "TLS that nothing has ended" if call.encrypted and not ends_tls(chain) else "no HTTP"
                walk.add(Step(Stage.FILTERS, entry.name, f"the chain reads HTTP and the client sends {what}"))
                walk.error = Failure.PROTOCOL
            return
        proxy = unpacked(entry.typed_config, tcp_proxy_pb2.TcpProxy)
        if proxy is not None:
            walk.add(Step(Stage.FILTERS, entry.name, "the chain carries bytes", _may_refuse(chain)))
            weighted = [(c.name, c.weight) for c in proxy.weighted_clusters.clusters] or [(proxy.cluster, 1)]
            walk.forward(action.shares(weighted, reading))
            return
    names = ", ".join(entry.name for entry in chain.filters)
    walk.add(Step(Stage.FILTERS, "", f"what the chain ends in is not modelled: {names or 'nothing'}"))
    walk.error = Failure.UNKNOWN


def _may_refuse(chain: components.FilterChain) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(entry.name, "it may close the connection")
        for entry in chain.filters
        if any(word in entry.name for word in _ANSWERING)
    )
