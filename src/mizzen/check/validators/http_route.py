"""One entry of a VirtualService's http list. Rows VS-12 to VS-52."""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.api.match import StringMatch
from mizzen.api.virtual_service import (
    HTTPMatchRequest,
    HTTPRoute,
    L4MatchAttributes,
    TLSMatchAttributes,
)
from mizzen.check import rules
from mizzen.check.notes import Notes
from mizzen.check.validators import http_action, http_headers
from mizzen.check.validators.http_route_destination import destination
from mizzen.check.validators.virtual_service_names import CLAIM

MOST = 2**32 - 1


def validate(route: HTTPRoute, path: str, notes: Notes, *, delegate: bool, mesh: bool) -> None:
    for index, match in enumerate(route.match):
        _match(match, f"{path}.match[{index}]", notes, mesh=mesh)
    _kind(route, path, notes, delegate=delegate)
    for index, target in enumerate(route.route):
        where = f"{path}.route[{index}]"
        destination(target.destination, f"{where}.destination", notes)
        http_headers.validate(target.headers, f"{where}.headers", notes)
    if route.route:
        weights([target.weight for target in route.route], f"{path}.route", notes)
    http_headers.validate(route.headers, f"{path}.headers", notes)
    http_headers.authority(route, path, notes)
    http_action.validate(route, path, notes)
    rules.duration(notes, f"{path}.timeout", route.timeout, zero=True)


def _kind(route: HTTPRoute, path: str, notes: Notes, *, delegate: bool) -> None:
    """Exactly one of route, redirect, directResponse and delegate, and what may not stand beside it (row VS-51)."""
    given = [
        name
        for name, value in (
            ("route", route.route),
            ("redirect", route.redirect),
            ("directResponse", route.direct_response),
            ("delegate", route.delegate),
        )
        if value
    ]
    if not given:
        notes.error(path, "one of route, redirect, directResponse and delegate is required")
    elif len(given) > 1:
        notes.error(path, f"only one of {', '.join(given)} may be set")
    if route.delegate is not None:
        notes.need(not delegate, f"{path}.delegate", "a delegate may not delegate further")
        notes.need(bool(route.delegate.name), f"{path}.delegate.name", "a name is required")
    for name, action in (("redirect", route.redirect), ("directResponse", route.direct_response)):
        if action is not None:
            for other, value in (("rewrite", route.rewrite), ("fault", route.fault)):
                notes.need(value is None, f"{path}.{other}", f"{other} does not go with {name}")


def weights(values: Sequence[int], path: str, notes: Notes) -> None:
    """Row VS-28: relative, never negative, not all zero where there are several."""
    for index, value in enumerate(values):
        notes.need(value >= 0, f"{path}[{index}].weight", "a weight is 0 or more")
    if len(values) > 1:
        notes.need(sum(values) > 0, path, "the weights of several destinations may not all be 0")
        notes.need(sum(values) <= MOST, path, f"the weights may come to {MOST} at most, as far as Envoy counts")


def source(match: HTTPMatchRequest | L4MatchAttributes | TLSMatchAttributes, path: str, notes: Notes) -> None:
    """The conditions on the client."""
    rules.labels(notes, f"{path}.sourceLabels", match.source_labels)
    if match.source_namespace:
        ok = rules.DNS_LABEL.fullmatch(match.source_namespace) is not None
        notes.need(ok, f"{path}.sourceNamespace", f"{match.source_namespace!r} is no namespace")


def _match(match: HTTPMatchRequest, path: str, notes: Notes, *, mesh: bool) -> None:
    if match.uri is not None:
        _string(match.uri, f"{path}.uri", notes, empty_prefix=True)
    for name in ("scheme", "method", "authority"):
        value = getattr(match, name)
        if value is not None:
            _string(value, f"{path}.{name}", notes)
    for field, headers in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
        for name, value in headers.items():
            where = f"{path}.{field}.{name}"
            _string(value, where, notes, present=True)
            if name.startswith(CLAIM):
                notes.need(not mesh, where, "conditions on claims work on gateways only")
            else:
                rules.header_name(notes, f"{path}.{field}", name.removeprefix(":"))
    for name, value in match.query_params.items():
        rules.parameter_name(notes, f"{path}.queryParams", name)
        _string(value, f"{path}.queryParams.{name}", notes, present=True)
    if match.port:
        rules.port(notes, f"{path}.port", match.port)
    source(match, path, notes)


def _string(value: StringMatch, path: str, notes: Notes, *, empty_prefix: bool = False, present: bool = False) -> None:
    if value.prefix == "" and not empty_prefix:
        notes.error(f"{path}.prefix", "an empty prefix matches everything")
    if value.exact is None and value.prefix is None and value.regex is None and not present:
        notes.warn(path, "a match without exact, prefix or regex does nothing")
    if value.regex is None or (value.regex == "*" and present):
        return
    if notes.need(bool(value.regex), f"{path}.regex", "a regular expression may not be empty"):
        rules.regex(notes, f"{path}.regex", value.regex)
