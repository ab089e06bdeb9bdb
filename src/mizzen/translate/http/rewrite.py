"""``rewrite`` (rows VS-33 to VS-35)."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.api.virtual_service import HTTPRewrite
from mizzen.translate.http.match import regex


def apply(action: route.RouteAction, rewrite: HTTPRewrite | None, *, tell_host: bool = False) -> None:
    """Always a prefix rewrite: with an exact or regex match Envoy replaces the whole path (row VS-33).

    ``tell_host``: the host that was asked for goes on as ``x-forwarded-host`` (row PC-13).
    """
    if rewrite is None:
        return
    if rewrite.uri_regex_rewrite is not None:
        action.regex_rewrite.pattern.CopyFrom(regex(rewrite.uri_regex_rewrite.match))
        action.regex_rewrite.substitution = rewrite.uri_regex_rewrite.rewrite
    elif rewrite.uri:
        action.prefix_rewrite = rewrite.uri
    if rewrite.authority:
        action.host_rewrite_literal = rewrite.authority
        action.append_x_forwarded_host = tell_host
