"""The path that routes are matched against, after the connection manager's normalisation (rows IL-12, AP-24)."""

from __future__ import annotations

import re
from dataclasses import replace

from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.simulate.call import Call

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPED = re.compile("%([0-9A-Fa-f]{2})")
_ESCAPED_SLASH = re.compile("%(2F|5C)", re.IGNORECASE)


def normalised(manager: hcm_pb2.HttpConnectionManager, call: Call) -> Call:
    """``call`` with the path as the manager rewrites it: escaped slashes, then RFC 3986, then runs of slashes."""
    path, mark, rest = call.path.partition("?")
    if manager.path_with_escaped_slashes_action == hcm_pb2.HttpConnectionManager.UNESCAPE_AND_FORWARD:
        path = _ESCAPED_SLASH.sub(lambda found: chr(int(found[1], 16)), path)
    if manager.normalize_path.value:
        path = _normal(path)
    if manager.merge_slashes:
        path = re.sub("/{2,}", "/", path)
    return replace(call, path=path + mark + rest)


def _normal(path: str) -> str:
    """RFC 3986, 6.2.2: backslashes are slashes, needless escapes go, dot segments are resolved."""
    path = _ESCAPED.sub(_unescaped, path.replace("\\", "/"))
    kept: list[str] = []
    segments = path.split("/")[1:]
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        if segment == "..":
            del kept[-1:]
            if last:
                kept.append("")
        elif segment == ".":
            if last:
                kept.append("")
        else:
            kept.append(segment)
    return "/" + "/".join(kept)


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0]
