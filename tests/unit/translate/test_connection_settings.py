"""Row PC-14: the profile for the edge, and single values."""

import pytest
from envoy.config.core.v3 import protocol_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as pb

from mizzen.api.mesh_config import ConnectionSettings, ProxyConfig
from mizzen.api.meta import Duration
from mizzen.translate.connection_settings import apply, limit_buffer, settings
from mizzen.translate.filters import Direction

H = pb.HttpConnectionManager


def manager(direction: Direction, **given: object) -> pb.HttpConnectionManager:
    found = H()
    config = ProxyConfig(connection_settings=ConnectionSettings(**given))  # type: ignore[arg-type]
    apply(found, settings(config, direction))
    return found


@pytest.mark.row("PC-14")
def test_the_edge_is_guarded() -> None:
    found = manager(Direction.GATEWAY, profile="EDGE")
    assert found.common_http_protocol_options.idle_timeout.seconds == 3600
    assert (found.request_timeout.seconds, found.request_headers_timeout.seconds) == (300, 60)
    assert found.stream_idle_timeout.seconds == 300
    h2 = found.http2_protocol_options
    assert (h2.max_concurrent_streams.value, h2.initial_stream_window_size.value) == (100, 65536)
    assert h2.initial_connection_window_size.value == 1048576
    assert found.merge_slashes
    assert found.path_with_escaped_slashes_action == H.UNESCAPE_AND_REDIRECT
    rejects = protocol_pb2.HttpProtocolOptions.REJECT_REQUEST
    assert found.common_http_protocol_options.headers_with_underscores_action == rejects
    assert manager(Direction.INBOUND, profile="EDGE") == H()


@pytest.mark.row("PC-14")
def test_single_values_beat_the_profile_and_hold_for_sidecars_too() -> None:
    found = manager(Direction.GATEWAY, profile="EDGE", http_idle_timeout=Duration.parse("5s"), http_merge_slashes=False)
    assert found.common_http_protocol_options.idle_timeout.seconds == 5
    assert not found.merge_slashes
    assert found.request_timeout.seconds == 300
    own = manager(
        Direction.OUTBOUND, http_request_timeout=Duration.parse("7s"), http_drain_timeout=Duration.parse("2s")
    )
    assert (own.request_timeout.seconds, own.drain_timeout.seconds) == (7, 2)
    nothing = H()
    apply(nothing, settings(ProxyConfig(), Direction.GATEWAY))
    assert nothing == H()


@pytest.mark.row("PC-14")
def test_a_gateways_listener_has_the_profiles_buffer() -> None:
    edge, plain = listener_pb2.Listener(), listener_pb2.Listener()
    limit_buffer(edge, ProxyConfig(connection_settings=ConnectionSettings(profile="EDGE")))
    limit_buffer(plain, ProxyConfig())
    assert edge.per_connection_buffer_limit_bytes.value == 32768
    assert not plain.HasField("per_connection_buffer_limit_bytes")
