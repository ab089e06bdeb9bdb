"""``connectionSettings`` of ProxyConfig: the profile EDGE for gateways that face strangers, and single values (row PC-14)."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from envoy.config.core.v3 import protocol_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as pb

from mizzen.api.mesh_config import ConnectionSettings, ProxyConfig
from mizzen.api.meta import Duration
from mizzen.translate.filters import Direction
from mizzen.translate.scalars import duration

_Hcm: TypeAlias = pb.HttpConnectionManager
_KIB, _MIB = 1024, 1024 * 1024
EDGE = ConnectionSettings(
    profile="EDGE",
    listener_per_connection_buffer_limit_bytes=32 * _KIB,
    http_idle_timeout=Duration.parse("1h"),
    http_request_timeout=Duration.parse("5m"),
    http_request_headers_timeout=Duration.parse("60s"),
    http_stream_idle_timeout=Duration.parse("5m"),
    http_max_concurrent_streams=100,
    http2_initial_stream_window_size=64 * _KIB,
    http2_initial_connection_window_size=_MIB,
    http_headers_with_underscores_action="REJECT_REQUEST",
    http_merge_slashes=True,
    http_path_with_escaped_slashes_action="UNESCAPE_AND_REDIRECT",
)
"""What Envoy's own guide advises for an edge, as Istio's profile has it."""


def settings(config: ProxyConfig, direction: Direction) -> ConnectionSettings | None:
    """What is in force: given values over the profile's. The profile is for gateways alone."""
    given = config.connection_settings
    if given is None or given.profile != "EDGE" or direction is not Direction.GATEWAY:
        return given
    fields = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}
    return msgspec.structs.replace(EDGE, **fields)


def apply(manager: _Hcm, found: ConnectionSettings | None) -> None:
    """Set on a connection manager what ``found`` says; it goes over the mesh's path normalisation too."""
    if found is None:
        return
    common = manager.common_http_protocol_options
    for value, target in (
        (found.http_idle_timeout, common.idle_timeout),
        (found.http_max_connection_duration, common.max_connection_duration),
        (found.http_max_stream_duration, common.max_stream_duration),
        (found.http_drain_timeout, manager.drain_timeout),
        (found.http_request_timeout, manager.request_timeout),
        (found.http_request_headers_timeout, manager.request_headers_timeout),
        (found.http_stream_idle_timeout, manager.stream_idle_timeout),
    ):
        if value is not None:
            target.CopyFrom(duration(value))
    for number, window in (
        (found.http_max_concurrent_streams, manager.http2_protocol_options.max_concurrent_streams),
        (found.http2_initial_stream_window_size, manager.http2_protocol_options.initial_stream_window_size),
        (found.http2_initial_connection_window_size, manager.http2_protocol_options.initial_connection_window_size),
    ):
        if number is not None:
            window.value = number
    _headers_and_paths(manager, found)


def _headers_and_paths(manager: _Hcm, found: ConnectionSettings) -> None:
    if found.http_headers_with_underscores_action is not None:
        action = protocol_pb2.HttpProtocolOptions.HeadersWithUnderscoresAction.Value(
            found.http_headers_with_underscores_action
        )
        manager.common_http_protocol_options.headers_with_underscores_action = action
    if found.http_merge_slashes is not None:
        manager.merge_slashes = found.http_merge_slashes
    if found.http_path_with_escaped_slashes_action is not None:
        manager.path_with_escaped_slashes_action = _Hcm.PathWithEscapedSlashesAction.Value(
            found.http_path_with_escaped_slashes_action
        )


def limit_buffer(listener: listener_pb2.Listener, config: ProxyConfig) -> None:
    """On a gateway's listener."""
    found = settings(config, Direction.GATEWAY)
    if found is not None and found.listener_per_connection_buffer_limit_bytes is not None:
        listener.per_connection_buffer_limit_bytes.value = found.listener_per_connection_buffer_limit_bytes
