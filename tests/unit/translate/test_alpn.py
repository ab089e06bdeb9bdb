from __future__ import annotations

import pytest
from envoy.extensions.filters.common.set_filter_state.v3 import value_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2

from mizzen.translate import alpn
from mizzen.translate.chains import ALPN_MESH_HTTP, ALPN_MESH_TCP


@pytest.mark.row("OL-22")
def test_the_upstream_connection_takes_the_list() -> None:
    config = set_filter_state_pb2.Config()
    assert alpn.http_filter().typed_config.Unpack(config)
    (value,) = config.on_request_headers
    assert value.object_key == "envoy.network.application_protocols"
    assert value.shared_with_upstream == value_pb2.FilterStateValue.ONCE
    assert value.skip_if_empty


def test_a_client_offers_what_a_server_matches() -> None:
    assert set(alpn.HTTP11) & set(ALPN_MESH_HTTP)
    assert set(alpn.HTTP2) & set(ALPN_MESH_HTTP)
    assert set(alpn.TCP) <= set(ALPN_MESH_TCP)
