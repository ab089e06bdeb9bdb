"""networking.istio.io VirtualService. Source: istio/api networking/v1alpha3/virtual_service.proto, rows VS-*."""

from __future__ import annotations

from msgspec import Struct

from mizzen.api.match import Percent, PortSelector, StringMatch
from mizzen.api.meta import Duration


class Destination(Struct, frozen=True, kw_only=True):
    host: str = ""
    subset: str = ""
    port: PortSelector | None = None


class HeaderOperations(Struct, frozen=True, kw_only=True):
    set: dict[str, str] = {}
    add: dict[str, str] = {}
    remove: tuple[str, ...] = ()


class Headers(Struct, frozen=True, kw_only=True):
    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class HTTPRouteDestination(Struct, frozen=True, kw_only=True):
    destination: Destination | None = None
    weight: int = 0
    headers: Headers | None = None


class RouteDestination(Struct, frozen=True, kw_only=True):
    destination: Destination | None = None
    weight: int = 0


class HTTPMatchRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] = {}
    without_headers: dict[str, StringMatch] = {}
    query_params: dict[str, StringMatch] = {}
    ignore_uri_case: bool = False
    port: int = 0
    source_labels: dict[str, str] = {}
    source_namespace: str = ""
    gateways: tuple[str, ...] = ()
    stat_prefix: str = ""


class HTTPRedirect(Struct, frozen=True, kw_only=True, rename="camel"):
    uri: str = ""
    prefix_rewrite: str = ""
    authority: str = ""
    port: int | None = None
    derive_port: str = ""
    scheme: str = ""
    redirect_code: int = 0


class HTTPBody(Struct, frozen=True, kw_only=True):
    string: str | None = None
    bytes: str | None = None


class HTTPDirectResponse(Struct, frozen=True, kw_only=True):
    status: int = 0
    body: HTTPBody | None = None


class RegexRewrite(Struct, frozen=True, kw_only=True):
    match: str = ""
    rewrite: str = ""


class HTTPRewrite(Struct, frozen=True, kw_only=True, rename="camel"):
    uri: str = ""
    authority: str = ""
    uri_regex_rewrite: RegexRewrite | None = None


class HTTPRetry(Struct, frozen=True, kw_only=True, rename="camel"):
    attempts: int = 0
    per_try_timeout: Duration | None = None
    retry_on: str = ""
    retry_remote_localities: bool | None = None
    retry_ignore_previous_hosts: bool | None = None
    backoff: Duration | None = None


class FaultDelay(Struct, frozen=True, kw_only=True, rename="camel"):
    percent: int = 0
    percentage: Percent | None = None
    fixed_delay: Duration | None = None
    exponential_delay: Duration | None = None


class FaultAbort(Struct, frozen=True, kw_only=True, rename="camel"):
    http_status: int | None = None
    grpc_status: str | None = None
    http2_error: str | None = None
    percentage: Percent | None = None


class HTTPFaultInjection(Struct, frozen=True, kw_only=True):
    delay: FaultDelay | None = None
    abort: FaultAbort | None = None


class HTTPMirrorPolicy(Struct, frozen=True, kw_only=True):
    destination: Destination | None = None
    percentage: Percent | None = None


class CorsPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    allow_origin: tuple[str, ...] = ()
    allow_origins: tuple[StringMatch, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: str = ""


class Delegate(Struct, frozen=True, kw_only=True):
    name: str = ""
    namespace: str = ""


class HTTPRoute(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    match: tuple[HTTPMatchRequest, ...] = ()
    route: tuple[HTTPRouteDestination, ...] = ()
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: HTTPRewrite | None = None
    timeout: Duration | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirrors: tuple[HTTPMirrorPolicy, ...] = ()
    mirror_percent: int | None = None
    mirror_percentage: Percent | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None


class L4MatchAttributes(Struct, frozen=True, kw_only=True, rename="camel"):
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_subnet: str = ""
    source_labels: dict[str, str] = {}
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class TLSMatchAttributes(Struct, frozen=True, kw_only=True, rename="camel"):
    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_labels: dict[str, str] = {}
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


class TCPRoute(Struct, frozen=True, kw_only=True):
    match: tuple[L4MatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class TLSRoute(Struct, frozen=True, kw_only=True):
    match: tuple[TLSMatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class VirtualService(Struct, frozen=True, kw_only=True, rename="camel"):
    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    http: tuple[HTTPRoute, ...] = ()
    tls: tuple[TLSRoute, ...] = ()
    tcp: tuple[TCPRoute, ...] = ()
    export_to: tuple[str, ...] = ()
