"""The filters of every chain, by name and in Istio's order (rows IL-10, IL-11).

``istio.metadata_exchange``, ``istio.alpn`` and ``istio.stats`` exist only in Istio's own proxy build. Filters of these
names stay in the chains, because users' EnvoyFilters point at them, and are made of what upstream Envoy has.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from envoy.config.listener.v3 import listener_components_pb2
from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.http.fault.v3 import fault_pb2
from envoy.extensions.filters.http.grpc_stats.v3 import config_pb2 as grpc_stats_pb2
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2 as http_state_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.filters.network.set_filter_state.v3 import set_filter_state_pb2 as network_state_pb2
from google.protobuf.message import Message

from mizzen.translate.messages import any_of

HttpFilter: TypeAlias = hcm_pb2.HttpFilter
NetworkFilter: TypeAlias = listener_components_pb2.Filter

METADATA_EXCHANGE = "istio.metadata_exchange"
ALPN = "istio.alpn"
STATS = "istio.stats"


class Direction(StrEnum):
    """Where a chain stands: a sidecar's inbound side, its outbound side, or a gateway."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    GATEWAY = "gateway"


def http(name: str, config: Message) -> HttpFilter:
    return HttpFilter(name=name, typed_config=any_of(config))


def network(name: str, config: Message) -> NetworkFilter:
    return NetworkFilter(name=name, typed_config=any_of(config))


def http_marker(name: str) -> HttpFilter:
    """A filter that does nothing but bear a name."""
    return http(name, http_state_pb2.Config())


def network_marker(name: str) -> NetworkFilter:
    """A network filter that does nothing but bear a name."""
    return network(name, network_state_pb2.Config())


def grpc_web() -> HttpFilter:
    return http("envoy.filters.http.grpc_web", grpc_web_pb2.GrpcWeb())


def grpc_stats() -> HttpFilter:
    config = grpc_stats_pb2.FilterConfig(emit_filter_state=True)
    config.stats_for_all_methods.value = False
    return http("envoy.filters.http.grpc_stats", config)


def fault() -> HttpFilter:
    return http("envoy.filters.http.fault", fault_pb2.HTTPFault())


def cors() -> HttpFilter:
    return http("envoy.filters.http.cors", cors_pb2.Cors())


def router(*, quiet: bool = False) -> HttpFilter:
    """``quiet``: without ``x-envoy-*`` headers in requests and answers (row PC-13)."""
    return http("envoy.filters.http.router", router_pb2.Router(suppress_envoy_headers=quiet))
