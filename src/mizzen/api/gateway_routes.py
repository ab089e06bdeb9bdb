"""gateway.networking.k8s.io: HTTPRoute, GRPCRoute, TLSRoute, TCPRoute. Source: kubernetes-sigs/gateway-api apis/v1, rows GA-12, GF-*."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from mizzen.api.gateway_api import ObjectReference, ParentReference
from mizzen.api.meta import Duration


class BackendRef(ObjectReference, frozen=True, kw_only=True):
    kind: str = "Service"
    port: int = 0
    weight: int = 1


class Header(Struct, frozen=True, kw_only=True):
    name: str = ""
    value: str = ""


class HeaderFilter(Struct, frozen=True, kw_only=True):
    set: tuple[Header, ...] = ()
    add: tuple[Header, ...] = ()
    remove: tuple[str, ...] = ()


class PathModifier(Struct, frozen=True, kw_only=True, rename="camel"):
    type: str = ""
    replace_full_path: str | None = None
    replace_prefix_match: str | None = None


class RequestRedirect(Struct, frozen=True, kw_only=True, rename="camel"):
    scheme: str = ""
    hostname: str = ""
    path: PathModifier | None = None
    port: int = 0
    status_code: int = 302


class URLRewrite(Struct, frozen=True, kw_only=True):
    hostname: str = ""
    path: PathModifier | None = None


class Fraction(Struct, frozen=True, kw_only=True):
    numerator: int = 0
    denominator: int = 100


class RequestMirror(Struct, frozen=True, kw_only=True, rename="camel"):
    backend_ref: BackendRef | None = None
    percent: int | None = None
    fraction: Fraction | None = None


class Cors(Struct, frozen=True, kw_only=True, rename="camel"):
    """``max_age`` in seconds."""

    allow_origins: tuple[str, ...] = ()
    allow_credentials: bool | None = None
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: int = 5


class RouteFilter(Struct, frozen=True, kw_only=True, rename="camel"):
    """A filter of a rule or of one of its backends; ``type`` says which of the others counts."""

    type: str = ""
    request_header_modifier: HeaderFilter | None = None
    response_header_modifier: HeaderFilter | None = None
    request_mirror: RequestMirror | None = None
    request_redirect: RequestRedirect | None = None
    url_rewrite: URLRewrite | None = None
    cors: Cors | None = None
    external_auth: dict[str, Any] | None = None
    extension_ref: ObjectReference | None = None


class RuleBackendRef(BackendRef, frozen=True, kw_only=True):
    filters: tuple[RouteFilter, ...] = ()


class PathMatch(Struct, frozen=True, kw_only=True):
    type: str = "PathPrefix"
    value: str = "/"


class ValueMatch(Struct, frozen=True, kw_only=True):
    """A header or a query parameter."""

    type: str = "Exact"
    name: str = ""
    value: str = ""


class HTTPRouteMatch(Struct, frozen=True, kw_only=True, rename="camel"):
    path: PathMatch | None = None
    headers: tuple[ValueMatch, ...] = ()
    query_params: tuple[ValueMatch, ...] = ()
    method: str = ""


class Timeouts(Struct, frozen=True, kw_only=True, rename="camel"):
    request: Duration | None = None
    backend_request: Duration | None = None


class Retry(Struct, frozen=True, kw_only=True):
    codes: tuple[int, ...] = ()
    attempts: int | None = None
    backoff: Duration | None = None


class HTTPRouteRule(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    matches: tuple[HTTPRouteMatch, ...] = ()
    filters: tuple[RouteFilter, ...] = ()
    backend_refs: tuple[RuleBackendRef, ...] = ()
    timeouts: Timeouts | None = None
    retry: Retry | None = None
    session_persistence: dict[str, Any] | None = None


class _Route(Struct, frozen=True, kw_only=True, rename="camel"):
    parent_refs: tuple[ParentReference, ...] = ()
    use_default_gateways: str = ""


class HTTPRoute(_Route, frozen=True, kw_only=True, rename="camel"):
    hostnames: tuple[str, ...] = ()
    rules: tuple[HTTPRouteRule, ...] = (HTTPRouteRule(),)


class GRPCMethodMatch(Struct, frozen=True, kw_only=True):
    type: str = "Exact"
    service: str = ""
    method: str = ""


class GRPCRouteMatch(Struct, frozen=True, kw_only=True):
    method: GRPCMethodMatch | None = None
    headers: tuple[ValueMatch, ...] = ()


class GRPCRouteRule(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    matches: tuple[GRPCRouteMatch, ...] = ()
    filters: tuple[RouteFilter, ...] = ()
    backend_refs: tuple[RuleBackendRef, ...] = ()
    session_persistence: dict[str, Any] | None = None


class GRPCRoute(_Route, frozen=True, kw_only=True, rename="camel"):
    hostnames: tuple[str, ...] = ()
    rules: tuple[GRPCRouteRule, ...] = (GRPCRouteRule(),)


class L4RouteRule(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    backend_refs: tuple[BackendRef, ...] = ()


class TLSRoute(_Route, frozen=True, kw_only=True, rename="camel"):
    hostnames: tuple[str, ...] = ()
    rules: tuple[L4RouteRule, ...] = ()


class TCPRoute(_Route, frozen=True, kw_only=True, rename="camel"):
    rules: tuple[L4RouteRule, ...] = ()


Route = HTTPRoute | GRPCRoute | TLSRoute | TCPRoute
