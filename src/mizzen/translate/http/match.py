"""Conditions of a route (rows VS-12 to VS-19, VS-20, VS-21)."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.matcher.v3 import regex_pb2

from mizzen.api.match import StringMatch
from mizzen.api.virtual_service import HTTPMatchRequest
from mizzen.translate.http import claims
from mizzen.translate.http.text import is_presence, string_match


def route_match(match: HTTPMatchRequest | None, *, segments: bool = False) -> route.RouteMatch:
    """``match`` as Envoy's; none at all is every path. ``segments``: a prefix ends where a segment does (row GA-12)."""
    message = route.RouteMatch()
    if match is None:
        message.prefix = "/"
        return message
    _path(message, match)
    if segments and len(message.prefix) > 1:
        message.path_separated_prefix = message.prefix.rstrip("/")
    # Header conditions by name, then the pseudo headers, so that equal config gives equal bytes (row VS-17).
    for name in sorted(match.headers):
        if name.startswith(claims.PREFIX):
            message.dynamic_metadata.append(claims.matcher(name, match.headers[name]))
        else:
            message.headers.append(header(name, match.headers[name]))
    for name in sorted(match.without_headers):
        if name.startswith(claims.PREFIX):
            message.dynamic_metadata.append(claims.matcher(name, match.without_headers[name], invert=True))
        else:
            message.headers.append(without_header(name, match.without_headers[name]))
    for name, condition in ((":method", match.method), (":authority", match.authority), (":scheme", match.scheme)):
        if condition is not None:
            message.headers.append(header(name, condition))
    for name in sorted(match.query_params):
        message.query_parameters.append(_query(name, match.query_params[name]))
    return message


def is_catch_all(match: HTTPMatchRequest | None) -> bool:
    """True when nothing gets past this match (row VS-03)."""
    if match is None:
        return True
    if match.headers or match.without_headers or match.query_params or match.method or match.authority or match.scheme:
        return False
    uri = match.uri
    return uri is None or (uri.exact is None and uri.prefix == "/") or uri.regex in (".*", "*")


def header(name: str, condition: StringMatch) -> route.HeaderMatcher:
    """A header that has to fit; without a condition it only has to be there."""
    message = route.HeaderMatcher(name=name)
    if is_presence(condition):
        message.present_match = True
    else:
        message.string_match.CopyFrom(string_match(condition))
    return message


def without_header(name: str, condition: StringMatch) -> route.HeaderMatcher:
    """A header that may not fit; one that is missing is compared as empty (row VS-20)."""
    message = header(name, condition)
    message.invert_match = True
    if not message.present_match:
        message.treat_missing_header_as_empty = True
    return message


def regex(pattern: str) -> regex_pb2.RegexMatcher:
    return regex_pb2.RegexMatcher(regex=pattern)


def _path(message: route.RouteMatch, match: HTTPMatchRequest) -> None:
    uri = match.uri
    if uri is None:
        message.prefix = "/"
    elif uri.exact is not None:
        message.path = uri.exact
    elif uri.regex is not None:
        message.safe_regex.CopyFrom(regex(uri.regex))
    else:
        message.prefix = uri.prefix or ""
    if match.ignore_uri_case and not message.HasField("safe_regex"):
        message.case_sensitive.value = False


def _query(name: str, condition: StringMatch) -> route.QueryParameterMatcher:
    message = route.QueryParameterMatcher(name=name)
    if is_presence(condition):
        message.present_match = True
    else:
        message.string_match.CopyFrom(string_match(condition))
    return message
