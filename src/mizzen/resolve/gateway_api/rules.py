"""Rules of HTTPRoutes and GRPCRoutes as routes of a VirtualService, and their order (rows GA-12, GA-20, GA-24, GF-*)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import re2
from msgspec.structs import replace

from mizzen.api.gateway_routes import (
    GRPCRouteMatch,
    GRPCRouteRule,
    HTTPRouteMatch,
    HTTPRouteRule,
    RequestMirror,
    Retry,
    RouteFilter,
    RuleBackendRef,
    Timeouts,
    ValueMatch,
)
from mizzen.api.match import StringMatch
from mizzen.api.meta import Duration, Object
from mizzen.api.virtual_service import (
    Destination,
    HTTPDirectResponse,
    HTTPMatchRequest,
    HTTPMirrorPolicy,
    HTTPRetry,
    HTTPRoute,
    HTTPRouteDestination,
)
from mizzen.resolve.gateway_api import filters
from mizzen.resolve.gateway_api.backends import Hard, Target, target
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.world import World

_RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled"
_DEFAULT_ATTEMPTS = 2
Rank = tuple[object, ...]
_EXACT, _PREFIX, _REGEX = 0, 1, 2


@dataclass(frozen=True)
class Ranked:
    """One match of one rule. Lower ``rank`` is tried first."""

    rank: Rank
    route: HTTPRoute


@dataclass
class Converted:
    """``hard`` took all rules out of force; ``problem`` is the first backend that leads nowhere."""

    routes: list[Ranked] = field(default_factory=list)
    problem: Problem | None = None
    hard: Problem | None = None


@dataclass
class _Rule:
    """What HTTP and gRPC rules have in common. ``mirrors_fail``: a mirror that leads nowhere takes the route out of force."""

    route: Object
    world: World
    mesh: bool
    name: str
    filters: tuple[RouteFilter, ...]
    backends: tuple[RuleBackendRef, ...]
    mirrors_fail: bool
    problems: list[Problem] = field(default_factory=list)

    def made(self, match: HTTPMatchRequest | None, prefix: str) -> HTTPRoute:
        """The route without timeouts and retries. ``prefix`` is that of the match, empty for another kind. Raises Hard."""
        redirect = rewrite = cors = None
        for entry in self.filters:
            if entry.request_redirect is not None and entry.type == "RequestRedirect":
                redirect = filters.redirect(entry.request_redirect, prefix)
            elif entry.url_rewrite is not None and entry.type == "URLRewrite":
                rewrite = filters.rewrite(entry.url_rewrite, prefix)
            elif entry.cors is not None and entry.type == "CORS":
                cors = filters.cors(entry.cors)
            elif entry.type not in _HEADERS_AND_MIRRORS:
                raise Hard("InvalidFilter", f"a filter {entry.type} is not supported")
        destinations = () if redirect is not None else self._destinations()
        direct = HTTPDirectResponse(status=500) if redirect is None and not destinations else None
        return HTTPRoute(
            name=self.name,
            match=(match,) if match is not None else (),
            route=destinations,
            redirect=redirect,
            rewrite=None if direct is not None else rewrite,
            direct_response=direct,
            headers=filters.headers(self.filters),
            mirrors=tuple(self._mirrors()) if destinations else (),
            cors_policy=cors,
        )

    def _destinations(self) -> tuple[HTTPRouteDestination, ...]:
        """The backends with a weight; none, when nothing is to be served (row GA-20)."""
        found: list[HTTPRouteDestination] = []
        for ref in self.backends:
            filters.only_headers(ref.filters, f"backend {ref.name}")
            leads = target(self.route, ref, self.world, mesh=self.mesh)
            if leads.problem is not None:
                self.problems.append(leads.problem)
            if ref.weight > 0:
                found.append(
                    HTTPRouteDestination(
                        destination=leads.destination, weight=ref.weight, headers=filters.headers(ref.filters)
                    )
                )
        return tuple(found)

    def _mirrors(self) -> Iterable[HTTPMirrorPolicy]:
        for entry in self.filters:
            if entry.type == "RequestMirror" and entry.request_mirror is not None:
                made, found = filters.mirror(entry.request_mirror, self._lead)
                if found.problem is not None:
                    self.problems.append(found.problem)
                    if self.mirrors_fail:
                        raise Hard(found.problem.reason, found.problem.message)
                if made is not None:
                    yield made

    def _lead(self, entry: RequestMirror) -> Target:
        if entry.backend_ref is None:
            return Target(Destination(), Problem("BackendNotFound", "a mirror names no backend"))
        return target(self.route, entry.backend_ref, self.world, mesh=self.mesh)


_HEADERS_AND_MIRRORS = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror")


def http(route: Object, world: World, *, mesh: bool, port: int = 0) -> Converted:
    """An HTTPRoute's rules. ``port``: only traffic to this port of the parent counts, 0 for all."""
    return _converted(route, world, mesh, lambda common, rule: _http_rule(common, rule, port))


def grpc(route: Object, world: World, *, mesh: bool, port: int = 0) -> Converted:
    """A GRPCRoute's rules (row GF-14). A mirror that leads nowhere fails the route (row GF-08)."""
    return _converted(route, world, mesh, lambda common, rule: _grpc_rule(common, rule, port), mirrors_fail=True)


def _converted(
    route: Object,
    world: World,
    mesh: bool,
    of_rule: Callable[[_Rule, Any], Iterator[tuple[Rank, HTTPRoute]]],
    *,
    mirrors_fail: bool = False,
) -> Converted:
    converted = Converted()
    try:
        for index, rule in enumerate(route.body.rules):
            name = rule.name or f"{route.namespace}.{route.name}.{index}"
            common = _Rule(route, world, mesh, name, rule.filters, rule.backend_refs, mirrors_fail)
            converted.routes += [Ranked((*rank, *_age(route), index), made) for rank, made in of_rule(common, rule)]
            converted.problem = converted.problem or next(iter(common.problems), None)
    except Hard as error:
        return Converted(hard=error.problem)
    return converted


def _http_rule(common: _Rule, rule: HTTPRouteRule, port: int) -> Iterator[tuple[Rank, HTTPRoute]]:
    for match in rule.matches or (None,):
        made = common.made(*_http_match(match, port))
        yield _http_rank(match), _patient(made, rule.timeouts, rule.retry)


def _http_match(match: HTTPRouteMatch | None, port: int) -> tuple[HTTPMatchRequest | None, str]:
    """The match, and the prefix that it matches; None for a match of everything."""
    path = match.path if match is not None else None
    prefix = "/" if path is None else (path.value.rstrip("/") or "/") if path.type == "PathPrefix" else ""
    if match is None:
        return (HTTPMatchRequest(port=port) if port else None), prefix
    uri = None
    if path is not None:
        kind = {"Exact": "exact", "RegularExpression": "regex"}.get(path.type, "prefix")
        uri = StringMatch(**{kind: prefix or path.value})
    request = HTTPMatchRequest(
        uri=uri,
        method=StringMatch(exact=match.method) if match.method else None,
        headers={name.lower(): value for name, value in _values(match.headers, lower=True).items()},
        query_params=_values(match.query_params),
        port=port,
    )
    return request, prefix


def _values(entries: Iterable[ValueMatch], *, lower: bool = False) -> dict[str, StringMatch]:
    """By name; of a name that is there twice the first counts, and names of headers are of one case."""
    found: dict[str, StringMatch] = {}
    for entry in entries:
        regex = entry.type == "RegularExpression"
        value = StringMatch(regex=entry.value) if regex else StringMatch(exact=entry.value)
        found.setdefault(entry.name.lower() if lower else entry.name, value)
    return found


def _http_rank(match: HTTPRouteMatch | None) -> Rank:
    """Exact, prefix, regex; longer path, a method, more headers, more parameters; what matches everything last (GA-12)."""
    path = match.path if match is not None else None
    kind = {"Exact": _EXACT, "RegularExpression": _REGEX}.get(path.type, _PREFIX) if path is not None else _PREFIX
    length = len(path.value) if path is not None else 1
    if match is None:
        return (True, _PREFIX, -1, True, 0, 0)
    bare = not match.method and not match.headers and not match.query_params
    everything = bare and kind == _PREFIX and length <= 1
    names = _values(match.headers, lower=True)
    return (everything, kind, -length, not match.method, -len(names), -len(_values(match.query_params)))


def _age(route: Object) -> Rank:
    return (route.meta.creation_timestamp, route.namespace, route.name)


def _patient(made: HTTPRoute, timeouts: Timeouts | None, retry: Retry | None) -> HTTPRoute:
    """Rows GF-09, GF-13: without retries the time for one backend request is that for all of them."""
    whole, each = (_set(timeouts.request), _set(timeouts.backend_request)) if timeouts is not None else (None, None)
    if retry is None:
        return replace(made, timeout=each or whole)
    codes = ",".join(str(code) for code in retry.codes)
    policy = HTTPRetry(
        attempts=_DEFAULT_ATTEMPTS if retry.attempts is None else retry.attempts,
        retry_on=f"{_RETRY_ON},{codes}" if codes else _RETRY_ON,
        per_try_timeout=each,
        backoff=retry.backoff,
    )
    return replace(made, timeout=whole, retries=policy)


def _set(value: Duration | None) -> Duration | None:
    return value if value is not None and value.nanos > 0 else None


def _grpc_rule(common: _Rule, rule: GRPCRouteRule, port: int) -> Iterator[tuple[Rank, HTTPRoute]]:
    for entry in rule.filters:
        if entry.type not in _HEADERS_AND_MIRRORS:
            raise Hard("InvalidFilter", f"a filter {entry.type} does not go with gRPC")
    for match in rule.matches or (None,):
        request = _grpc_match(match, port)
        yield _grpc_rank(match, request), common.made(request, "")


def _grpc_match(match: GRPCRouteMatch | None, port: int) -> HTTPMatchRequest | None:
    if match is None or (match.method is None and not match.headers):
        return HTTPMatchRequest(port=port) if port else None
    headers = _values(match.headers, lower=True)
    wanted = match.method
    if wanted is None or not (wanted.service or wanted.method):
        return HTTPMatchRequest(headers=headers, port=port)
    if wanted.type == "RegularExpression":
        uri = StringMatch(regex=f"/{wanted.service or '[^/]+'}/{wanted.method or '[^/]+'}")
    elif wanted.service and wanted.method:
        uri = StringMatch(exact=f"/{wanted.service}/{wanted.method}")
    elif wanted.service:
        uri = StringMatch(prefix=f"/{wanted.service}")
    else:
        uri = StringMatch(regex=f"/[^/]+/{re2.escape(wanted.method)}")
    return HTTPMatchRequest(uri=uri, headers=headers, port=port)


def _grpc_rank(match: GRPCRouteMatch | None, request: HTTPMatchRequest | None) -> Rank:
    """Exact method, then service alone, then method alone or a regex; more headers; what matches everything last."""
    uri = request.uri if request is not None else None
    if match is None or (uri is None and not match.headers):
        return (True, _PREFIX, -1, True, 0, 0)
    text = (uri.exact or uri.prefix or uri.regex or "") if uri is not None else "/"
    kind = _PREFIX if uri is None or uri.prefix else _EXACT if uri.exact else _REGEX
    return (False, kind, -len(text), True, -len(request.headers) if request is not None else 0, 0)
