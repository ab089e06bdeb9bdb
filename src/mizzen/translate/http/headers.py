"""``headers``: what a route adds, sets and removes (rows VS-29, VS-30)."""

from __future__ import annotations

from typing import Any

from envoy.config.core.v3 import base_pb2

from mizzen.api.virtual_service import HeaderOperations, Headers

_Append = base_pb2.HeaderValueOption
_HOSTS = frozenset({"host", ":authority"})


def apply(message: Any, headers: Headers | None) -> None:
    """Append the operations to ``message``, a Route or a weighted cluster, which have the same four lists."""
    if headers is None:
        return
    if headers.request is not None:
        message.request_headers_to_add.extend(_options(headers.request))
        message.request_headers_to_remove.extend(sorted(name for name in headers.request.remove if _allowed(name)))
    if headers.response is not None:
        message.response_headers_to_add.extend(_options(headers.response))
        message.response_headers_to_remove.extend(sorted(name for name in headers.response.remove if _allowed(name)))


def host(headers: Headers | None) -> str:
    """The host that the request gets: ``Host`` among the headers is a rewrite, and ``set`` beats ``add`` (row VS-30)."""
    operations = headers.request if headers else None
    if operations is None:
        return ""
    for group in (operations.set, operations.add):
        for name, value in group.items():
            if name.lower() in _HOSTS:
                return value
    return ""


def _options(operations: HeaderOperations) -> list[base_pb2.HeaderValueOption]:
    """Set first, then add, each by name."""
    found = []
    for group, action in (
        (operations.set, _Append.OVERWRITE_IF_EXISTS_OR_ADD),
        (operations.add, _Append.APPEND_IF_EXISTS_OR_ADD),
    ):
        for name in sorted(group):
            if _allowed(name):
                found.append(_Append(header=base_pb2.HeaderValue(key=name, value=group[name]), append_action=action))
    return found


def _allowed(name: str) -> bool:
    return name.lower() != "host" and not name.startswith(":")
