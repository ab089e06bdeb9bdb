"""CUSTOM policies: a shadow RBAC filter says when, an ext_authz filter asks the provider (rows AP-06, AP-27)."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import grpc_service_pb2
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2 as http_pb2
from envoy.extensions.filters.network.ext_authz.v3 import ext_authz_pb2 as network_pb2
from envoy.type.matcher.v3 import metadata_pb2, string_pb2

from mizzen.model.authorizer import Authorizer, HttpCheck
from mizzen.translate import filters as f
from mizzen.translate import names

SHADOW_PREFIX = "istio_ext_authz_"
_EFFECTIVE_POLICY = f"{SHADOW_PREFIX}shadow_effective_policy_id"


def rule_prefix(provider: str) -> str:
    """What the shadow policies of ``provider`` begin with."""
    return f"istio-ext-authz-{provider}-"


def http_filter(provider: Authorizer) -> f.HttpFilter:
    """Asks for the requests that the shadow RBAC filter before it has matched."""
    config = http_pb2.ExtAuthz(
        failure_mode_allow=provider.fail_open,
        clear_route_cache=provider.clear_route_cache,
        transport_api_version=2,
        filter_enabled_metadata=_matched("envoy.filters.http.rbac", provider),
    )
    if provider.status_on_error:
        config.status_on_error.code = provider.status_on_error
    if provider.body is not None:
        config.with_request_body.max_request_bytes = provider.body.max_bytes
        config.with_request_body.allow_partial_message = provider.body.partial
        config.with_request_body.pack_as_bytes = provider.body.as_bytes
    if provider.http is None:
        config.grpc_service.CopyFrom(_grpc(provider))
    else:
        _over_http(config, provider, provider.http)
    return f.http("envoy.filters.http.ext_authz", config)


def network_filter(provider: Authorizer) -> f.NetworkFilter:
    """The same for a TCP chain, which only a gRPC provider can judge."""
    config = network_pb2.ExtAuthz(
        stat_prefix="tcp.",
        failure_mode_allow=provider.fail_open,
        transport_api_version=2,
        filter_enabled_metadata=_matched("envoy.filters.network.rbac", provider),
        grpc_service=_grpc(provider),
    )
    return f.network("envoy.filters.network.ext_authz", config)


def _matched(filter_name: str, provider: Authorizer) -> metadata_pb2.MetadataMatcher:
    """``-ns[`` ends the provider's name, so that provider ``a`` is not asked what ``a-b`` is to judge (row AP-06)."""
    matcher = metadata_pb2.MetadataMatcher(filter=filter_name)
    matcher.path.add(key=_EFFECTIVE_POLICY)
    matcher.value.string_match.prefix = f"{rule_prefix(provider.name)}ns["
    return matcher


def _grpc(provider: Authorizer) -> grpc_service_pb2.GrpcService:
    service = grpc_service_pb2.GrpcService()
    service.envoy_grpc.cluster_name = names.cluster(provider.port, "", provider.hostname)
    service.envoy_grpc.authority = provider.hostname
    service.timeout.FromNanoseconds(provider.timeout.nanos)
    return service


def _over_http(config: http_pb2.ExtAuthz, provider: Authorizer, check: HttpCheck) -> None:
    service = config.http_service
    service.server_uri.uri = f"http://{provider.hostname}"
    service.server_uri.cluster = names.cluster(provider.port, "", provider.hostname)
    service.server_uri.timeout.FromNanoseconds(provider.timeout.nanos)
    service.path_prefix = check.path_prefix
    for key, value in check.added_headers:
        service.authorization_request.headers_to_add.add(key=key, value=value)
    answer = service.authorization_response
    if check.request_headers:
        config.allowed_headers.patterns.extend(_patterns(check.request_headers))
    if check.upstream_on_allow:
        answer.allowed_upstream_headers.patterns.extend(_patterns(check.upstream_on_allow))
    if check.downstream_on_allow:
        answer.allowed_client_headers_on_success.patterns.extend(_patterns(check.downstream_on_allow))
    if check.downstream_on_deny:
        answer.allowed_client_headers.patterns.extend(_patterns(check.downstream_on_deny))


def _patterns(headers: Iterable[str]) -> list[string_pb2.StringMatcher]:
    return [_pattern(value) for value in headers]


def _pattern(value: str) -> string_pb2.StringMatcher:
    if value.startswith("*"):
        return string_pb2.StringMatcher(suffix=value[1:], ignore_case=True)
    if value.endswith("*"):
        return string_pb2.StringMatcher(prefix=value[:-1], ignore_case=True)
    return string_pb2.StringMatcher(exact=value, ignore_case=True)
