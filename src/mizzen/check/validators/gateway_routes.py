"""HTTPRoute, GRPCRoute, TLSRoute and TCPRoute: what their CRDs demand, and what Envoy would refuse (section 9.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mizzen.api.gateway_routes import (
    BackendRef,
    GRPCMethodMatch,
    GRPCRoute,
    GRPCRouteRule,
    HeaderFilter,
    HTTPRoute,
    HTTPRouteRule,
    L4RouteRule,
    PathMatch,
    PathModifier,
    RequestMirror,
    RequestRedirect,
    RouteFilter,
    TCPRoute,
    TLSRoute,
    ValueMatch,
)
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.check.validators.http_headers import header_value
from mizzen.check.validators.http_route import MOST

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FIELDS = {
    "RequestHeaderModifier": "request_header_modifier",
    "ResponseHeaderModifier": "response_header_modifier",
    "RequestMirror": "request_mirror",
    "RequestRedirect": "request_redirect",
    "URLRewrite": "url_rewrite",
    "CORS": "cors",
    "ExternalAuth": "external_auth",
    "ExtensionRef": "extension_ref",
}
_ONCE = frozenset(_FIELDS) - {"RequestMirror", "ExtensionRef"}
_BAD_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS = ("/.", "/..")
_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
_GRPC_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_HEAVIEST = 1_000_000

Routes = HTTPRoute | GRPCRoute | TLSRoute | TCPRoute


def validate_http(spec: HTTPRoute, notes: Notes) -> None:
    _route(spec, notes)
    _hostnames(spec.hostnames, notes)
    for index, rule in enumerate(spec.rules):
        path = f"spec.rules[{index}]"
        _http_matches(rule, path, notes)
        _filtered(rule, path, notes)
        _times(rule, path, notes)


def validate_grpc(spec: GRPCRoute, notes: Notes) -> None:
    _route(spec, notes)
    _hostnames(spec.hostnames, notes)
    for index, rule in enumerate(spec.rules):
        path = f"spec.rules[{index}]"
        for number, match in enumerate(rule.matches):
            where = f"{path}.matches[{number}]"
            if match.method is not None:
                _grpc_method(match.method, f"{where}.method", notes)
            _values(match.headers, f"{where}.headers", notes, rules.header_name)
        _filtered(rule, path, notes)
        _persistence(rule.session_persistence, path, notes)


def validate_tls(spec: TLSRoute, notes: Notes) -> None:
    _route(spec, notes)
    _hostnames(spec.hostnames, notes)
    _l4(spec.rules, notes)


def validate_tcp(spec: TCPRoute, notes: Notes) -> None:
    _route(spec, notes)
    _l4(spec.rules, notes)


def _l4(listed: Sequence[L4RouteRule], notes: Notes) -> None:
    notes.need(bool(listed), "spec.rules", "at least one rule is required")
    for index, rule in enumerate(listed):
        _backends(rule.backend_refs, f"spec.rules[{index}].backendRefs", notes)


def _filtered(rule: HTTPRouteRule | GRPCRouteRule, path: str, notes: Notes) -> None:
    _filters(rule.filters, f"{path}.filters", notes)
    _backends(rule.backend_refs, f"{path}.backendRefs", notes)
    for number, ref in enumerate(rule.backend_refs):
        _filters(ref.filters, f"{path}.backendRefs[{number}].filters", notes)


def _route(spec: Routes, notes: Notes) -> None:
    for index, ref in enumerate(spec.parent_refs):
        notes.need(bool(ref.name), f"spec.parentRefs[{index}].name", "a name is required")
        if ref.port:
            rules.port(notes, f"spec.parentRefs[{index}].port", ref.port)
    if spec.use_default_gateways:
        notes.warn("spec.useDefaultGateways", "default gateways have no effect", codes.NO_EFFECT)
    names = [rule.name for rule in spec.rules if rule.name]
    rules.unique(notes, "spec.rules", names, "names of rules must differ")


def _hostnames(hostnames: Sequence[str], notes: Notes) -> None:
    for index, host in enumerate(hostnames):
        path = f"spec.hostnames[{index}]"
        notes.need(not rules.is_ip(host), path, "a host name is not an address")
        notes.need(host != "*", path, "leave hostnames out to take every host")
        rules.wildcard_host(notes, path, host)


def _backends(refs: Sequence[BackendRef], path: str, notes: Notes) -> None:
    for number, ref in enumerate(refs):
        _backend(ref, f"{path}[{number}]", notes)
    total = sum(ref.weight for ref in refs)
    notes.need(total <= MOST, path, f"the weights may come to {MOST} at most, as far as Envoy counts")


def _backend(ref: BackendRef, path: str, notes: Notes) -> None:
    notes.need(bool(ref.name), f"{path}.name", "a name is required")
    if ref.port:
        rules.port(notes, f"{path}.port", ref.port)
    notes.need(0 <= ref.weight <= _HEAVIEST, f"{path}.weight", f"a weight is from 0 to {_HEAVIEST}")


def _http_matches(rule: HTTPRouteRule, path: str, notes: Notes) -> None:
    for number, match in enumerate(rule.matches):
        where = f"{path}.matches[{number}]"
        if match.path is not None:
            _path(match.path, f"{where}.path", notes)
        _values(match.headers, f"{where}.headers", notes, rules.header_name)
        _values(match.query_params, f"{where}.queryParams", notes, rules.parameter_name)
        notes.need(not match.method or match.method in _METHODS, f"{where}.method", f"unknown method {match.method!r}")


def _path(match: PathMatch, path: str, notes: Notes) -> None:
    if match.type == "RegularExpression":
        _regex(match.value, f"{path}.value", notes)
        return
    if notes.need(match.type in ("Exact", "PathPrefix"), f"{path}.type", f"unknown type {match.type!r}"):
        notes.need(match.value.startswith("/"), f"{path}.value", "a path begins with a slash")
        bad = next((part for part in _BAD_PATHS if part in match.value), "")
        notes.need(not bad, f"{path}.value", f"a path may not have {bad!r} in it")
        notes.need(not match.value.endswith(_BAD_ENDS), f"{path}.value", "a path may not end in dots")
        known = not match.value or _PATH.fullmatch(match.value) is not None
        notes.need(known, f"{path}.value", "a path has the characters of a URL, and neither query nor fragment")


def _regex(pattern: str, path: str, notes: Notes) -> None:
    if notes.need(bool(pattern), path, "a regular expression may not be empty"):
        rules.regex(notes, path, pattern)


def _values(matches: Sequence[ValueMatch], path: str, notes: Notes, name: Callable[[Notes, str, str], bool]) -> None:
    """``name``: the rule for their names."""
    for index, match in enumerate(matches):
        where = f"{path}[{index}]"
        name(notes, f"{where}.name", match.name)
        if match.type == "RegularExpression":
            _regex(match.value, f"{where}.value", notes)
        else:
            notes.need(match.type == "Exact", f"{where}.type", f"unknown type {match.type!r}")


def _grpc_method(match: GRPCMethodMatch, path: str, notes: Notes) -> None:
    notes.need(bool(match.service or match.method), path, "a service or a method is required")
    for name, text in (("service", match.service), ("method", match.method)):
        if match.type == "RegularExpression":
            rules.regex(notes, f"{path}.{name}", text)
        elif text:
            notes.need(_GRPC_NAME.fullmatch(text) is not None, f"{path}.{name}", f"{text!r} is no name")
    notes.need(match.type in ("Exact", "RegularExpression"), f"{path}.type", f"unknown type {match.type!r}")


def _filters(filters: Sequence[RouteFilter], path: str, notes: Notes) -> None:
    kinds = [entry.type for entry in filters]
    for kind in sorted(_ONCE):
        notes.need(kinds.count(kind) < 2, path, f"{kind} may be there once")
    both = "RequestRedirect" in kinds and "URLRewrite" in kinds
    notes.need(not both, path, "only one of RequestRedirect and URLRewrite may be there")
    for index, entry in enumerate(filters):
        where = f"{path}[{index}]"
        wanted = _FIELDS.get(entry.type)
        if not notes.need(wanted is not None, f"{where}.type", f"unknown type {entry.type!r}"):
            continue
        for name in _FIELDS.values():
            given = getattr(entry, name) is not None
            notes.need(given is (name == wanted), where, f"{entry.type} goes with the field of its own name alone")
        _filter(entry, where, notes)


def _filter(entry: RouteFilter, path: str, notes: Notes) -> None:
    if entry.request_redirect is not None:
        _redirect(entry.request_redirect, f"{path}.requestRedirect", notes)
    if entry.url_rewrite is not None:
        _host(entry.url_rewrite.hostname, f"{path}.urlRewrite.hostname", notes)
        _modifier(entry.url_rewrite.path, f"{path}.urlRewrite.path", notes)
    if entry.request_mirror is not None:
        _mirror(entry.request_mirror, f"{path}.requestMirror", notes)
    if entry.request_header_modifier is not None:
        _headers(entry.request_header_modifier, f"{path}.requestHeaderModifier", notes)
    if entry.response_header_modifier is not None:
        _headers(entry.response_header_modifier, f"{path}.responseHeaderModifier", notes)


def _headers(modifier: HeaderFilter, path: str, notes: Notes) -> None:
    """A control character in a value is no matter of these rules: the route's status tells (row GF-05)."""
    for verb, headers in (("set", modifier.set), ("add", modifier.add)):
        for index, header in enumerate(headers):
            rules.header_name(notes, f"{path}.{verb}[{index}].name", header.name)
            header_value(header.value, f"{path}.{verb}[{index}].value", notes)
    for index, name in enumerate(modifier.remove):
        fits = 0 < len(name.encode()) <= rules.MAX_HEADER
        notes.need(fits, f"{path}.remove[{index}]", f"a name of at most {rules.MAX_HEADER} bytes is required")
        rules.one_line(notes, f"{path}.remove[{index}]", name)


def _redirect(redirect: RequestRedirect, path: str, notes: Notes) -> None:
    notes.need(redirect.scheme in ("", "http", "https"), f"{path}.scheme", "http or https")
    notes.need(redirect.status_code in _REDIRECTS, f"{path}.statusCode", "301, 302, 303, 307 or 308")
    if redirect.port:
        rules.port(notes, f"{path}.port", redirect.port)
    _host(redirect.hostname, f"{path}.hostname", notes)
    _modifier(redirect.path, f"{path}.path", notes)


def _host(hostname: str, path: str, notes: Notes) -> None:
    notes.need(not hostname or rules.fqdn(hostname), path, f"{hostname!r} is no host name")


def _modifier(modifier: PathModifier | None, path: str, notes: Notes) -> None:
    if modifier is None:
        return
    known = {"ReplaceFullPath": modifier.replace_full_path, "ReplacePrefixMatch": modifier.replace_prefix_match}
    if notes.need(modifier.type in known, f"{path}.type", f"{modifier.type!r} is none of {', '.join(known)}"):
        alone = [kind for kind, value in known.items() if value is not None] == [modifier.type]
        notes.need(alone, path, f"{modifier.type} goes with the field of its own name alone")
        rules.one_line(notes, path, *filter(None, known.values()))


def _mirror(mirror: RequestMirror, path: str, notes: Notes) -> None:
    if notes.need(mirror.backend_ref is not None, f"{path}.backendRef", "a backend is required") and mirror.backend_ref:
        _backend(mirror.backend_ref, f"{path}.backendRef", notes)
    notes.need(mirror.percent is None or mirror.fraction is None, path, "only one of percent and fraction may be set")
    notes.need(mirror.percent is None or 0 <= mirror.percent <= 100, f"{path}.percent", "from 0 to 100")
    part = mirror.fraction
    notes.need(
        part is None or 0 <= part.numerator <= part.denominator > 0,
        f"{path}.fraction",
        "the numerator is from 0 to the denominator, which is positive",
    )


def _times(rule: HTTPRouteRule, path: str, notes: Notes) -> None:
    times = rule.timeouts
    if times is not None:
        rules.duration(notes, f"{path}.timeouts.request", times.request, zero=True)
        rules.duration(notes, f"{path}.timeouts.backendRequest", times.backend_request, zero=True)
        whole, each = times.request, times.backend_request
        fits = whole is None or each is None or not whole.nanos or each.nanos <= whole.nanos
        notes.need(fits, f"{path}.timeouts.backendRequest", "may not be longer than the timeout of the request")
    if rule.retry is not None:
        bad = [code for code in rule.retry.codes if not 400 <= code <= 599]
        notes.need(not bad, f"{path}.retry.codes", f"from 400 to 599, not {', '.join(map(str, bad))}")
        rules.duration(notes, f"{path}.retry.backoff", rule.retry.backoff)
    _persistence(rule.session_persistence, path, notes)


def _persistence(written: object, path: str, notes: Notes) -> None:
    if written is not None:
        text = "sessions are not kept: use consistentHash of a DestinationRule"
        notes.warn(f"{path}.sessionPersistence", text, codes.NO_EFFECT)
