from __future__ import annotations

from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2

from mizzen.translate import exchange
from mizzen.translate.filters import Direction


def kept(peer_verified: bool) -> list[str]:
    config = set_filter_state_pb2.Config()
    assert exchange.http_filter(Direction.INBOUND, peer_verified=peer_verified).typed_config.Unpack(config)
    return [value.format_string.text_format_source.inline_string for value in config.on_request_headers]


def test_a_peer_without_mtls_is_not_believed() -> None:
    assert set(kept(peer_verified=False)) == {"unknown", "latest"}
    assert {text for text in kept(peer_verified=True) if text.startswith("%")} == {
        f"%REQ({exchange.PREFIX}{name})%" for name in exchange.FIELDS
    }


def test_the_introduction_holds_no_fact_about_one_proxy() -> None:
    wrapped = extension_matcher_pb2.ExtensionWithMatcher()
    assert exchange.http_filter(Direction.OUTBOUND, peer_verified=False).typed_config.Unpack(wrapped)
    config = header_mutation_pb2.HeaderMutation()
    assert wrapped.extension_config.typed_config.Unpack(config)
    values = {m.append.header.key: m.append.header.value for m in config.mutations.request_mutations}
    assert values == {
        f"x-envoy-peer-metadata-{name}": f"%ENVIRONMENT({variable})%" for name, variable in exchange.TOLD.items()
    }


def test_every_header_is_taken_off_before_the_app() -> None:
    assert set(exchange.HEADERS) >= {exchange.PREFIX + name for name in exchange.FIELDS} | {"x-envoy-peer-metadata"}
