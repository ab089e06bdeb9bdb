"""How a sidecar tells a mesh peer who it is: the filter ``istio.metadata_exchange`` on upstream Envoy.

Istio's own filter puts one protobuf into ``x-envoy-peer-metadata``, which upstream Envoy cannot read. Ours sends one
header per label, filled from the client's environment (so resources stay free of facts about one proxy). The server's
filter keeps them in filter state, where metrics find them; its route takes them off before the app sees them, whoever
sent them. Only a chain that ends mTLS believes them.
"""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import base_pb2
from envoy.extensions.filters.common.set_filter_state.v3 import value_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2

from mizzen.translate import filters as f
from mizzen.translate.filters import Direction

PREFIX = "x-envoy-peer-metadata-"

FIELDS = {
    "workload": "MIZZEN_WORKLOAD_NAME",
    "namespace": "MIZZEN_NAMESPACE",
    "canonical-name": "MIZZEN_CANONICAL_NAME",
    "canonical-revision": "MIZZEN_CANONICAL_REVISION",
    "app": "MIZZEN_APP",
    "version": "MIZZEN_VERSION_LABEL",
    "cluster": "MIZZEN_CLUSTER_ID",
}
"""Header suffix to the variable of the agent that holds its value."""

STATE = {name: f"mizzen.peer.{name}" for name in FIELDS}
"""Header suffix to the key of the filter state that holds what the peer said."""

HEADERS = [*(PREFIX + name for name in FIELDS), "x-envoy-peer-metadata", "x-envoy-peer-metadata-id"]
"""Everything an inbound route takes off a request, Istio's own names included."""

_FACTORY = "envoy.string"
_DEFAULTS = {"canonical-revision": "latest"}


def http_filter(direction: Direction, *, peer_verified: bool) -> f.HttpFilter:
    """The first HTTP filter of every chain."""
    if direction is Direction.INBOUND:
        return f.http(f.METADATA_EXCHANGE, set_filter_state_pb2.Config(on_request_headers=_kept(peer_verified)))
    return f.http(f.METADATA_EXCHANGE, _introduction())


def _kept(peer_verified: bool) -> Iterable[value_pb2.FilterStateValue]:
    """The default of every label first; what a verified peer says overwrites it."""
    for name, key in STATE.items():
        yield _value(key, _DEFAULTS.get(name, "unknown"))
        if peer_verified:
            yield _value(key, f"%REQ({PREFIX}{name})%")


def _value(key: str, text: str) -> value_pb2.FilterStateValue:
    value = value_pb2.FilterStateValue(object_key=key, factory_key=_FACTORY, skip_if_empty=True)
    value.format_string.omit_empty_values = True
    value.format_string.text_format_source.inline_string = text
    return value


def _introduction() -> header_mutation_pb2.HeaderMutation:
    config = header_mutation_pb2.HeaderMutation()
    for name, variable in FIELDS.items():
        option = config.mutations.request_mutations.add().append
        option.header.key = PREFIX + name
        option.header.value = f"%ENVIRONMENT({variable})%"
        option.append_action = base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    return config
