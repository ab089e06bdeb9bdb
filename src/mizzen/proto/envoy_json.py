"""Envoy configuration as users write it in an EnvoyFilter: YAML that becomes a message of Envoy's API (row EF-17)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from google.protobuf import json_format, symbol_database
from google.protobuf.message import Message

_M = TypeVar("_M", bound=Message)
_DEEPEST = 100
PATCHED = {
    "CLUSTER": "envoy.config.cluster.v3.Cluster",
    "LISTENER": "envoy.config.listener.v3.Listener",
    "FILTER_CHAIN": "envoy.config.listener.v3.FilterChain",
    "LISTENER_FILTER": "envoy.config.listener.v3.ListenerFilter",
    "NETWORK_FILTER": "envoy.config.listener.v3.Filter",
    "HTTP_FILTER": "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    "ROUTE_CONFIGURATION": "envoy.config.route.v3.RouteConfiguration",
    "VIRTUAL_HOST": "envoy.config.route.v3.VirtualHost",
    "HTTP_ROUTE": "envoy.config.route.v3.Route",
    "EXTENSION_CONFIG": "envoy.config.core.v3.TypedExtensionConfig",
    "BOOTSTRAP": "envoy.config.bootstrap.v3.Bootstrap",
}
"""What the value of a patch is, by ``applyTo``."""


def decode(kind: type[_M], value: Any) -> _M:
    """``value`` as a message of ``kind``; fields that Envoy does not know are left out.

    Raises ValueError when it does not fit, or when it holds an ``@type`` that Envoy's API has not.
    """
    for name in set(_types(value, 0)):
        if message_type(name) is None:
            raise ValueError(f"the type {name} is not known")
    try:
        return json_format.ParseDict(value, kind(), ignore_unknown_fields=True)
    except (json_format.ParseError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(str(error)) from error


def unknown(kind: type[Message], value: Any) -> str:
    """Why ``decode`` leaves something of ``value`` out, in one line: the first field that Envoy does not know. Empty if it does not."""
    try:
        json_format.ParseDict(value, kind())
    except (json_format.ParseError, TypeError, ValueError, RecursionError) as error:
        return str(error).partition("\n")[0]
    return ""


@cache
def message_type(name: str) -> type[Message] | None:
    """The class of a full message name such as ``envoy.config.cluster.v3.Cluster``; None when there is none."""
    package = name.rpartition(".")[0]
    for _ in range(2):
        try:
            return symbol_database.Default().GetSymbol(name)
        except KeyError:
            _load(package)
    return None


@cache
def _load(package: str) -> None:
    """Import the modules of a protobuf package, which registers its messages. Only Envoy's own packages are looked into."""
    if package.partition(".")[0] not in ("envoy", "xds", "udpa"):
        return
    try:
        found = importlib.import_module(package)
    except ImportError:
        return
    for module in pkgutil.iter_modules(found.__path__):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"{package}.{module.name}")


def _types(value: Any, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise ValueError("the value is nested too deeply")
    if isinstance(value, dict):
        named = value.get("@type")
        if isinstance(named, str):
            yield named.rpartition("/")[2]
        for item in value.values():
            yield from _types(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _types(item, depth + 1)
