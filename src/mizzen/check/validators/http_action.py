"""What a route does besides choosing a destination: redirect, rewrite, retries, fault, mirror, CORS. Rows VS-31 to VS-50."""

from __future__ import annotations

from mizzen.api import base64_text
from mizzen.api.grpc_status import GRPC_STATUSES
from mizzen.api.match import Percent
from mizzen.api.virtual_service import (
    CorsPolicy,
    FaultAbort,
    FaultDelay,
    HTTPDirectResponse,
    HTTPRedirect,
    HTTPRewrite,
    HTTPRoute,
)
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.check.validators import http_retry
from mizzen.check.validators.http_route_destination import destination

METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"])
REDIRECT_CODES = (0, 301, 302, 303, 307, 308)
BODY_WARN, BODY_MAX = 100 << 10, 1 << 20


def validate(route: HTTPRoute, path: str, notes: Notes) -> None:
    if route.redirect is not None:
        _redirect(route, route.redirect, f"{path}.redirect", notes)
    if route.direct_response is not None:
        _direct_response(route.direct_response, f"{path}.directResponse", notes)
    if route.rewrite is not None:
        _rewrite(route.rewrite, f"{path}.rewrite", notes)
    if route.retries is not None:
        http_retry.validate(route.retries, f"{path}.retries", notes)
    if route.fault is not None:
        given = route.fault.delay is not None or route.fault.abort is not None
        notes.need(given, f"{path}.fault", "a fault needs a delay or an abort")
        if route.fault.delay is not None:
            _delay(route.fault.delay, f"{path}.fault.delay", notes)
        if route.fault.abort is not None:
            _abort(route.fault.abort, f"{path}.fault.abort", notes)
    _mirror(route, path, notes)
    if route.cors_policy is not None:
        _cors(route.cors_policy, f"{path}.corsPolicy", notes)


def _redirect(route: HTTPRoute, redirect: HTTPRedirect, path: str, notes: Notes) -> None:
    anything = any((redirect.uri, redirect.prefix_rewrite, redirect.authority, redirect.scheme, redirect.derive_port))
    notes.need(anything or redirect.port is not None, path, "a redirect needs uri, authority, scheme or port")
    notes.need(redirect.redirect_code in REDIRECT_CODES, f"{path}.redirectCode", "301, 302, 303, 307 or 308")
    notes.need(redirect.scheme in ("", "http", "https"), f"{path}.scheme", "http or https")
    rules.one_line(notes, f"{path}.authority", redirect.authority)
    rules.one_line(notes, f"{path}.uri", redirect.uri)
    if redirect.port is not None:
        rules.port(notes, f"{path}.port", redirect.port)
    if redirect.prefix_rewrite:
        notes.need(not redirect.uri, f"{path}.prefixRewrite", "only one of uri and prefixRewrite may be set")
        by_prefix = all(match.uri is None or match.uri.prefix is not None for match in route.match)
        notes.need(by_prefix, f"{path}.prefixRewrite", "prefixRewrite needs matches by uri prefix")
        rules.one_line(notes, f"{path}.prefixRewrite", redirect.prefix_rewrite)


def _direct_response(response: HTTPDirectResponse, path: str, notes: Notes) -> None:
    notes.need(200 <= response.status <= 599, f"{path}.status", "a status from 200 to 599")
    if response.body is None:
        return
    body = response.body.string if response.body.string is not None else response.body.bytes
    size = len((body or "").encode())
    if response.body.string is None and response.body.bytes is not None:
        size = size * 3 // 4
        if base64_text.decoded(response.body.bytes) is None:
            notes.warn(f"{path}.body.bytes", "is no base64 text and is sent as it is written; string takes plain text")
    if notes.need(size <= BODY_MAX, f"{path}.body", "larger than 1 MiB") and size > BODY_WARN:
        notes.warn(f"{path}.body", "a body of more than 100 KiB is kept in every proxy's memory")


def _rewrite(rewrite: HTTPRewrite, path: str, notes: Notes) -> None:
    anything = bool(rewrite.uri or rewrite.authority) or rewrite.uri_regex_rewrite is not None
    notes.need(anything, path, "a rewrite needs uri, uriRegexRewrite or authority")
    rules.one_line(notes, f"{path}.uri", rewrite.uri)
    rules.one_line(notes, f"{path}.authority", rewrite.authority)
    if rewrite.uri_regex_rewrite is None:
        return
    where = f"{path}.uriRegexRewrite"
    notes.need(not rewrite.uri, where, "only one of uri and uriRegexRewrite may be set")
    if notes.need(bool(rewrite.uri_regex_rewrite.match), f"{where}.match", "a regular expression is required"):
        rules.regex(notes, f"{where}.match", rewrite.uri_regex_rewrite.match)
    notes.need(bool(rewrite.uri_regex_rewrite.rewrite), f"{where}.rewrite", "a replacement is required")
    rules.one_line(notes, f"{where}.rewrite", rewrite.uri_regex_rewrite.rewrite)


def _percentage(percentage: Percent | None, path: str, notes: Notes) -> None:
    if percentage is not None:
        rules.percent(notes, f"{path}.percentage.value", percentage.value)


def _delay(delay: FaultDelay, path: str, notes: Notes) -> None:
    _percentage(delay.percentage, path, notes)
    notes.need(0 <= delay.percent <= 100, f"{path}.percent", "from 0 to 100")
    if delay.percent:
        notes.warn(f"{path}.percent", "percent is old; write percentage.value", codes.DEPRECATED)
    notes.need(delay.exponential_delay is None, f"{path}.exponentialDelay", "not supported; write fixedDelay")
    if delay.exponential_delay is None:
        notes.need(delay.fixed_delay is not None, f"{path}.fixedDelay", "a delay is required")
        rules.duration(notes, f"{path}.fixedDelay", delay.fixed_delay)


def _abort(abort: FaultAbort, path: str, notes: Notes) -> None:
    _percentage(abort.percentage, path, notes)
    notes.need(abort.http2_error is None, f"{path}.http2Error", "not supported; write httpStatus or grpcStatus")
    if abort.http_status is not None:
        notes.need(200 <= abort.http_status <= 599, f"{path}.httpStatus", "a status from 200 to 599")
    if abort.grpc_status is not None:
        known = abort.grpc_status in GRPC_STATUSES
        notes.need(known, f"{path}.grpcStatus", f"{abort.grpc_status!r} is no gRPC status; a name such as UNAVAILABLE")
    if abort.http2_error is None and abort.http_status is None and abort.grpc_status is None:
        notes.error(path, "httpStatus or grpcStatus is required")


def _mirror(route: HTTPRoute, path: str, notes: Notes) -> None:
    """Row VS-49."""
    if route.mirror is not None:
        destination(route.mirror, f"{path}.mirror", notes)
        notes.need(not route.mirrors, f"{path}.mirrors", "only one of mirror and mirrors may be set")
    for index, mirror in enumerate(route.mirrors):
        where = f"{path}.mirrors[{index}]"
        destination(mirror.destination, f"{where}.destination", notes)
        _percentage(mirror.percentage, where, notes)
    if route.mirror_percentage is not None:
        rules.percent(notes, f"{path}.mirrorPercentage.value", route.mirror_percentage.value)
    if route.mirror_percent is not None:
        notes.need(0 <= route.mirror_percent <= 100, f"{path}.mirrorPercent", "from 0 to 100")
        notes.warn(f"{path}.mirrorPercent", "mirrorPercent is old; write mirrorPercentage.value", codes.DEPRECATED)


def _cors(cors: CorsPolicy, path: str, notes: Notes) -> None:
    """Row VS-50."""
    for index, origin in enumerate(cors.allow_origins):
        where = f"{path}.allowOrigins[{index}]"
        notes.need(any((origin.exact, origin.prefix, origin.regex)), where, "exact, prefix or regex is required")
        if origin.regex:
            rules.regex(notes, f"{where}.regex", origin.regex)
    for index, method in enumerate(cors.allow_methods):
        notes.need(method in METHODS or method == "*", f"{path}.allowMethods[{index}]", f"{method!r} is no HTTP method")
    for field, names in (("allowHeaders", cors.allow_headers), ("exposeHeaders", cors.expose_headers)):
        for index, name in enumerate(names):
            rules.header_name(notes, f"{path}.{field}[{index}]", name)
    if cors.max_age is not None:
        whole = cors.max_age.nanos % 1_000_000_000 == 0 and cors.max_age.nanos >= 0
        notes.need(whole, f"{path}.maxAge", "whole seconds only")
