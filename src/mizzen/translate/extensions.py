"""The filters of extensions: where they stand, and that their configuration comes by name (rows WP-02, WP-06, WP-09, WP-13).

Envoy: ``config_discovery`` of ``HttpFilter`` and of ``config.listener.v3.Filter``.
"""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import config_source_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2

from mizzen.api.extension import TrafficSelector
from mizzen.model.extension import Extension, Phase
from mizzen.translate import filters as f
from mizzen.translate.filters import Direction

HTTP_TYPES = (
    "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
)
NETWORK_TYPES = (
    "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm",
    "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
)
"""What may come under a filter's name: the module, or what stands for it while it is not there (row WP-07)."""

Placed = tuple[Extension, ...]
"""The extensions of one chain, in order."""


def on(extensions: Placed, direction: Direction, port: int) -> Placed:
    """Those that a chain takes. ``port`` is the service's on the way out, the app's on the way in, 0 for any other."""
    return tuple(item for item in extensions if _fits(item.match, direction, port))


def _fits(match: tuple[TrafficSelector, ...], direction: Direction, port: int) -> bool:
    """The entries are alternatives; within one, mode and ports both count. A gateway is a client (row WP-09)."""
    role = "SERVER" if direction is Direction.INBOUND else "CLIENT"
    modes = ("UNDEFINED", "CLIENT_AND_SERVER", role)
    return not match or any(
        entry.mode in modes and (not entry.ports or port in {chosen.number for chosen in entry.ports})
        for entry in match
    )


def http(placed: Placed, phase: Phase) -> list[f.HttpFilter]:
    """The HTTP filters of one phase."""
    return [_lua(item) if item.lua else _by_name(item.name) for item in _of(placed, phase, network=False)]


def network(placed: Placed, phase: Phase) -> list[f.NetworkFilter]:
    """The network filters of one phase."""
    found = []
    for item in _of(placed, phase, network=True):
        entry = f.NetworkFilter(name=item.name)
        _discover(entry.config_discovery, NETWORK_TYPES)
        found.append(entry)
    return found


def _of(placed: Placed, phase: Phase, *, network: bool) -> Iterable[Extension]:
    return (item for item in placed if item.phase is phase and item.network is network)


def _by_name(name: str) -> f.HttpFilter:
    entry = f.HttpFilter(name=name)
    _discover(entry.config_discovery, HTTP_TYPES)
    return entry


def _discover(asked: config_source_pb2.ExtensionConfigSource, types: Iterable[str]) -> None:
    asked.config_source.ads.SetInParent()
    asked.config_source.initial_fetch_timeout.SetInParent()  # never go on without the configuration
    asked.config_source.resource_api_version = config_source_pb2.V3
    asked.type_urls.extend(types)


def _lua(item: Extension) -> f.HttpFilter:
    config = lua_pb2.Lua()
    config.default_source_code.inline_string = item.lua
    return f.http(item.name, config)
