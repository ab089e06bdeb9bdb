"""The HTTP connection manager of every chain that reads HTTP (rows IL-06, IL-08, IL-10, IL-12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeAlias

from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as pb
from envoy.extensions.request_id.uuid.v3 import uuid_pb2

from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.model.conduct import DEFAULT_CONDUCT, Conduct
from mizzen.model.extension import Phase
from mizzen.model.provider import Tracing
from mizzen.model.view import Policies
from mizzen.translate import (
    access_log,
    alpn,
    connection_settings,
    dynamic_dns,
    exchange,
    extensions,
    grpc_messages,
    header_case,
    jwt,
    rbac,
    telemetry,
    tracing,
)
from mizzen.translate import filters as f
from mizzen.translate.filters import Direction as Direction
from mizzen.translate.messages import any_of
from mizzen.translate.scalars import duration
from mizzen.translate.tcp import NO_POLICIES

HEADERS_TIMEOUT = timedelta(seconds=10)
"""How long a client of a gateway may take to send the head of a request, from its first byte. Istio sets no limit, so that
clients which send a byte now and then hold connections for ever; Envoy's guide for proxies at the edge advises this one."""

_NAME = "envoy.filters.network.http_connection_manager"
_Hcm: TypeAlias = pb.HttpConnectionManager


def http_connection_manager(
    *,
    direction: Direction,
    stat_prefix: str,
    mesh: MeshConfig,
    conduct: Conduct = DEFAULT_CONDUCT,
    rds: str | None = None,
    route_config: route_pb2.RouteConfiguration | None = None,
    policies: Policies = NO_POLICIES,
    http2: bool = False,
    grpc_web: bool = False,
    grpc: bool = False,
    http10: bool = False,
    chain: telemetry.Chain | None = None,
    dynamic: Iterable[str] = (),
    plugins: extensions.Placed = (),
) -> f.NetworkFilter:
    """The network filter, with the route configuration by name over ADS (``rds``) or inline (``route_config``).

    ``stat_prefix`` is used as it is: it has to end in ``;`` (row OL-25). ``http2``: the port is declared HTTP2, GRPC or
    GRPC-WEB. ``grpc``: a port behind this is declared so, and messages are counted (row ME-04). ``http10``: HTTP/1.0 is answered, not told to upgrade (row PR-10). ``chain`` is what metrics may say of an inbound chain: its service, and whether it ends mTLS.
    ``dynamic`` are the wildcard hosts whose names are resolved as requests name them (row SE-09). ``plugins``
    are the extensions of this chain.
    """
    chain = chain or telemetry.Chain(direction)
    manager = _Hcm(codec_type=_Hcm.AUTO, stat_prefix=stat_prefix, proxy_100_continue=True)
    if rds is not None:
        manager.rds.route_config_name = rds
        manager.rds.config_source.ads.SetInParent()
        manager.rds.config_source.initial_fetch_timeout.SetInParent()
        manager.rds.config_source.resource_api_version = 2
    if route_config is not None:
        manager.route_config.CopyFrom(route_config)
    if http2:
        manager.http2_protocol_options.SetInParent()
    if http10:
        manager.http_protocol_options.accept_http_10 = True
    manager.stream_idle_timeout.SetInParent()
    if direction is Direction.GATEWAY:
        manager.request_headers_timeout.FromTimedelta(HEADERS_TIMEOUT)
    manager.upgrade_configs.add(upgrade_type="websocket")
    _paths(manager, mesh)
    _addresses(manager, direction, conduct.config)
    _server_header(manager, direction, conduct.config.proxy_headers)
    _switches(manager, conduct.config.proxy_headers)
    if header_case.kept(conduct.config):
        header_case.keep_in_requests(manager)
    if conduct.connections.idle is not None:
        manager.common_http_protocol_options.idle_timeout.CopyFrom(duration(conduct.connections.idle))
    connection_settings.apply(manager, connection_settings.settings(conduct.config, direction))
    _client_certificate(manager, direction, conduct.config)
    report = conduct.server if direction is Direction.INBOUND else conduct.client
    _trace(manager, direction, report.tracing)
    resolving = [dynamic_dns.http_filter(host, mesh) for host in dynamic]
    manager.http_filters.extend(
        [
            *_http_filters(chain, policies, mesh, plugins, _grpc(grpc_web, count=grpc and report.metrics is not None)),
            *resolving,
            f.router(quiet=_off(conduct.config.proxy_headers, "envoyDebugHeaders")),
        ]
    )
    manager.access_log.extend(access_log.request_logs(mesh, report))
    manager.access_log.extend(telemetry.http_metrics(chain, report.metrics, grpc=grpc))
    return f.network(_NAME, manager)


def _trace(manager: _Hcm, direction: Direction, wanted: Tracing | None) -> None:
    """Row TM-11: the request id's own extension is named only where it is told something."""
    if wanted is None:
        return
    manager.tracing.CopyFrom(tracing.block(wanted, direction))
    if not wanted.by_request_id:
        extension = uuid_pb2.UuidRequestIdConfig()
        extension.use_request_id_for_trace_sampling.value = False
        manager.request_id_extension.typed_config.CopyFrom(any_of(extension))


def _grpc(web: bool, *, count: bool) -> list[f.HttpFilter]:
    translated = [f.grpc_web()] if web else []
    return [*translated, *([grpc_messages.http_filter()] if count else []), f.grpc_stats()]


def _http_filters(
    chain: telemetry.Chain,
    policies: Policies,
    mesh: MeshConfig,
    plugins: extensions.Placed,
    grpc: list[f.HttpFilter],
) -> list[f.HttpFilter]:
    judges = chain.direction is not Direction.OUTBOUND
    filters = [exchange.http_filter(chain.direction, peer_verified=chain.mtls)]
    if judges:
        filters += rbac.custom_http_filters(policies, mesh)
    filters += extensions.http(plugins, Phase.AUTHN)
    if judges:
        filters += jwt.http_filters(policies, chain.direction)
    filters += extensions.http(plugins, Phase.AUTHZ)
    if judges:
        filters += rbac.http_filters(policies, mesh)
    filters += extensions.http(plugins, Phase.STATS)
    filters += extensions.http(plugins, Phase.UNSPECIFIED)
    filters += grpc
    if chain.direction is not Direction.INBOUND:
        filters.append(alpn.http_filter())
    return [*filters, f.fault(), f.cors(), f.http_marker(f.STATS)]


def _paths(manager: _Hcm, mesh: MeshConfig) -> None:
    """Rows IL-12, AP-24: what the policies see is the path after this normalisation."""
    mode = mesh.path_normalization.normalization
    manager.normalize_path.value = mode != "NONE"
    manager.merge_slashes = mode in ("MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES")
    decode = mode == "DECODE_AND_MERGE_SLASHES"
    manager.path_with_escaped_slashes_action = _Hcm.UNESCAPE_AND_FORWARD if decode else _Hcm.KEEP_UNCHANGED


def _addresses(manager: _Hcm, direction: Direction, config: ProxyConfig) -> None:
    gateway = direction is Direction.GATEWAY
    manager.use_remote_address.value = gateway
    if gateway:
        hops = config.gateway_topology.get("numTrustedProxies", 0)
        manager.xff_num_trusted_hops = hops if isinstance(hops, int) and hops > 0 else 0


def _server_header(manager: _Hcm, direction: Direction, headers: dict[str, Any]) -> None:
    """Row IL-08: Istio's name where the answer enters the mesh's edge, Envoy's own on the way out of a sidecar."""
    server = _block(headers, "server")
    if server.get("disabled"):
        manager.server_header_transformation = _Hcm.PASS_THROUGH
        return
    if direction is Direction.OUTBOUND:
        manager.server_name = str(server.get("value") or "")
    else:
        manager.server_name = str(server.get("value") or "istio-envoy")


def _off(headers: dict[str, Any], name: str) -> bool:
    """Whether ProxyConfig's ``proxyHeaders`` switch this one off (row PC-13)."""
    return _block(headers, name).get("disabled") is True


def _block(headers: dict[str, Any], name: str) -> dict[str, Any]:
    """What users wrote there, if it is a map at all."""
    found = headers.get(name)
    return found if isinstance(found, dict) else {}


def _switches(manager: _Hcm, headers: dict[str, Any]) -> None:
    if _off(headers, "requestId"):
        manager.generate_request_id.value = False
    manager.append_x_forwarded_port = _block(headers, "xForwardedPort").get("enabled") is True


_FORWARD = {
    "SANITIZE": _Hcm.SANITIZE,
    "FORWARD_ONLY": _Hcm.FORWARD_ONLY,
    "APPEND_FORWARD": _Hcm.APPEND_FORWARD,
    "SANITIZE_SET": _Hcm.SANITIZE_SET,
    "ALWAYS_FORWARD_ONLY": _Hcm.ALWAYS_FORWARD_ONLY,
}


def _client_certificate(manager: _Hcm, direction: Direction, config: ProxyConfig) -> None:
    """x-forwarded-client-cert: a sidecar appends to what came (row IL-06), a gateway replaces it, unless told
    otherwise by ``gatewayTopology`` (row GW-32)."""
    if direction is Direction.OUTBOUND:
        return
    if direction is Direction.GATEWAY:
        chosen = config.gateway_topology.get("forwardClientCertDetails")
        manager.forward_client_cert_details = _FORWARD.get(str(chosen), _Hcm.SANITIZE_SET)
        if manager.forward_client_cert_details in (_Hcm.SANITIZE_SET, _Hcm.APPEND_FORWARD):
            manager.set_current_client_cert_details.subject.value = True
            for name in ("cert", "dns", "uri"):
                setattr(manager.set_current_client_cert_details, name, True)
        return
    headers = config.proxy_headers
    manager.forward_client_cert_details = _FORWARD.get(str(headers.get("forwardedClientCert")), _Hcm.APPEND_FORWARD)
    details = {"subject": True, "uri": True, "dns": True, "cert": False, "chain": False}
    wanted = _block(headers, "setCurrentClientCertDetails")
    details |= {name: value for name, value in wanted.items() if name in details and isinstance(value, bool)}
    manager.set_current_client_cert_details.subject.value = details.pop("subject")
    for name, value in details.items():
        setattr(manager.set_current_client_cert_details, name, value)
