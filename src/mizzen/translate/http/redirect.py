"""``redirect`` (row VS-31)."""

from __future__ import annotations

import re2
from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.api.virtual_service import HTTPRedirect

_Redirect = route.RedirectAction
_CODES = {
    0: _Redirect.MOVED_PERMANENTLY,
    301: _Redirect.MOVED_PERMANENTLY,
    302: _Redirect.FOUND,
    303: _Redirect.SEE_OTHER,
    307: _Redirect.TEMPORARY_REDIRECT,
    308: _Redirect.PERMANENT_REDIRECT,
}
_USUAL = {"http": 80, "https": 443}


def redirect(action: HTTPRedirect, listener_port: int, *, tls: bool = False, prefix: str = "") -> route.RedirectAction:
    """``listener_port`` is what FROM_REQUEST_PORT sends; ``tls`` says whether the server terminates TLS.
    ``prefix`` is matched by whole segments: then no path may begin with two slashes, or lose the one between (row GF-06)."""
    message = _Redirect(
        host_redirect=action.authority, response_code=_CODES.get(action.redirect_code, _Redirect.MOVED_PERMANENTLY)
    )
    if action.prefix_rewrite and prefix and "/" in (prefix, action.prefix_rewrite):
        message.regex_rewrite.pattern.regex = f"^{re2.escape(prefix.rstrip('/'))}/*"
        message.regex_rewrite.substitution = action.prefix_rewrite.rstrip("/").replace("\\", r"\\") + "/"
    elif action.prefix_rewrite:
        message.prefix_rewrite = action.prefix_rewrite
    elif action.uri:
        message.path_redirect = action.uri
    if action.scheme:
        message.scheme_redirect = action.scheme
    port = action.port or (listener_port if action.derive_port == "FROM_REQUEST_PORT" else 0)
    scheme = action.scheme or ("https" if tls else "http")
    if port and port != _USUAL.get(scheme):
        message.port_redirect = port
    return message
