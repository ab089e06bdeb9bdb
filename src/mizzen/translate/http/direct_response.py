"""``directResponse`` (row VS-32)."""

from __future__ import annotations

import base64
import binascii

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.api.virtual_service import HTTPDirectResponse


def direct_response(action: HTTPDirectResponse) -> route.DirectResponseAction:
    """The answer that the proxy itself gives. ``body.bytes`` is base64 text; what is not is sent as written."""
    message = route.DirectResponseAction(status=action.status)
    body = action.body
    if body is not None and body.string is not None:
        message.body.inline_string = body.string
    elif body is not None and body.bytes is not None:
        message.body.inline_bytes = _decoded(body.bytes)
    return message


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()
