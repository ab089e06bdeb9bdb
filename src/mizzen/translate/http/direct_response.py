"""``directResponse`` (row VS-32)."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.api import base64_text
from mizzen.api.virtual_service import HTTPDirectResponse


def direct_response(action: HTTPDirectResponse) -> route.DirectResponseAction:
    """The answer that the proxy itself gives. ``body.bytes`` is base64 text; what is not is sent as written."""
    message = route.DirectResponseAction(status=action.status)
    body = action.body
    if body is not None and body.string is not None:
        message.body.inline_string = body.string
    elif body is not None and body.bytes is not None:
        data = base64_text.decoded(body.bytes)
        message.body.inline_bytes = body.bytes.encode() if data is None else data
    return message
