"""Breakers, keepalive and protocol options of a cluster (rows DR-24 to DR-35, PR-09)."""

from __future__ import annotations

from envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2
from envoy.config.common.matcher.v3 import matcher_pb2
from envoy.config.core.v3 import protocol_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.duration_pb2 import Duration as DurationMessage

from mizzen.api.destination_rule import (
    ClientTLSSettings,
    HTTPSettings,
    OutlierDetection,
    TcpKeepalive,
    TCPSettings,
    TrafficPolicy,
)
from mizzen.api.mesh_config import MeshConfig
from mizzen.model.protocol import Protocol
from mizzen.translate.messages import any_of
from mizzen.translate.scalars import duration

UNLIMITED = 2**32 - 1
"""Envoy's own default of 1024 connections and 3 retries must never show (row DR-24)."""
FOLLOW = "downstream"
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def breakers(policy: TrafficPolicy) -> circuit_breaker_pb2.CircuitBreakers:
    """The default-priority thresholds; zero in a rule means unset (rows DR-24, DR-28, DR-30, DR-31)."""
    pool = policy.connection_pool
    tcp = (pool.tcp if pool else None) or TCPSettings()
    http = (pool.http if pool else None) or HTTPSettings()
    found = circuit_breaker_pb2.CircuitBreakers()
    thresholds = found.thresholds.add()
    thresholds.max_connections.value = tcp.max_connections or UNLIMITED
    thresholds.max_pending_requests.value = http.http1_max_pending_requests or UNLIMITED
    thresholds.max_requests.value = http.http2_max_requests or UNLIMITED
    thresholds.max_retries.value = http.max_retries or UNLIMITED
    budget = policy.retry_budget
    if budget is not None:
        thresholds.retry_budget.budget_percent.value = 20.0 if budget.percent is None else budget.percent
        thresholds.retry_budget.min_retry_concurrency.value = budget.min_retry_concurrency or 3
    return found


def apply(
    cluster: cluster_pb2.Cluster,
    policy: TrafficPolicy,
    mesh: MeshConfig,
    protocol: Protocol,
    *,
    sidecar: bool,
    tls: ClientTLSSettings | None = None,
) -> None:
    """Set what the connection pool says on ``cluster``: limits, connect timeout, keepalive and the upstream protocol.

    ``tls`` is the rule's block: without a fixed ``sni`` it is the request's Host (row DR-45).
    """
    pool = policy.connection_pool
    tcp = (pool.tcp if pool else None) or TCPSettings()
    http = (pool.http if pool else None) or HTTPSettings()
    cluster.connect_timeout.CopyFrom(duration(tcp.connect_timeout or mesh.connect_timeout))
    cluster.circuit_breakers.CopyFrom(breakers(policy))
    _keepalive(cluster, mesh.tcp_keepalive, tcp.tcp_keepalive)
    options = _protocol(http, spoken(policy, mesh, protocol, sidecar=sidecar))
    _common(options, tcp, http)
    if tls is not None and tls.mode in ("SIMPLE", "MUTUAL") and not tls.sni:
        options.upstream_http_protocol_options.auto_sni = True
        options.upstream_http_protocol_options.auto_san_validation = (
            not tls.subject_alt_names and not tls.insecure_skip_verify
        )
    _error_codes(options, policy.outlier_detection)
    if options.ByteSize():
        if options.WhichOneof("upstream_protocol_options") is None:
            options.explicit_http_config.http_protocol_options.SetInParent()
        cluster.typed_extension_protocol_options[_OPTIONS].CopyFrom(any_of(options))


def apply_inbound(cluster: cluster_pb2.Cluster, policy: TrafficPolicy | None, mesh: MeshConfig, speech: str) -> None:
    """The same on a server's cluster to its own app, which is never upgraded (rows DR-36, SC-06)."""
    policy = policy or TrafficPolicy()
    pool = policy.connection_pool
    tcp = (pool.tcp if pool else None) or TCPSettings()
    http = (pool.http if pool else None) or HTTPSettings()
    cluster.connect_timeout.CopyFrom(duration(tcp.connect_timeout or mesh.connect_timeout))
    cluster.circuit_breakers.CopyFrom(breakers(policy))
    _keepalive(cluster, mesh.tcp_keepalive, tcp.tcp_keepalive)
    # The rule's useClientProtocol holds up to the app, an upgrade only up to its sidecar (rows DR-33, DR-34).
    options = _protocol(http, FOLLOW if http.use_client_protocol else speech)
    _common(options, tcp, http)
    if options.ByteSize():
        if options.WhichOneof("upstream_protocol_options") is None:
            options.explicit_http_config.http_protocol_options.SetInParent()
        cluster.typed_extension_protocol_options[_OPTIONS].CopyFrom(any_of(options))


def follow_client(cluster: cluster_pb2.Cluster, idle: DurationMessage) -> None:
    """Speak upstream what the client spoke; close connections idle for ``idle``."""
    options = http_protocol_options_pb2.HttpProtocolOptions()
    options.common_http_protocol_options.idle_timeout.CopyFrom(idle)
    options.use_downstream_protocol_config.http_protocol_options.SetInParent()
    options.use_downstream_protocol_config.http2_protocol_options.SetInParent()
    cluster.typed_extension_protocol_options[_OPTIONS].CopyFrom(any_of(options))


def spoken(policy: TrafficPolicy, mesh: MeshConfig, protocol: Protocol, *, sidecar: bool) -> str:
    """What the upstream speaks: ``downstream`` (what the client spoke), ``h2``, ``http/1.1``, or nothing for bytes (PR-09)."""
    http = (policy.connection_pool.http if policy.connection_pool else None) or HTTPSettings()
    if http.use_client_protocol or (protocol is Protocol.UNSUPPORTED and sidecar):
        return FOLLOW
    upgrade = http.h2_upgrade_policy == "UPGRADE" or (
        http.h2_upgrade_policy in ("", "DEFAULT") and mesh.h2_upgrade_policy == "UPGRADE" and protocol is Protocol.HTTP
    )
    if protocol.is_http2 or upgrade:
        return "h2"
    return "http/1.1" if protocol.is_http or protocol is Protocol.UNSUPPORTED else ""


def _protocol(http: HTTPSettings, speech: str) -> http_protocol_options_pb2.HttpProtocolOptions:
    options = http_protocol_options_pb2.HttpProtocolOptions()
    if speech == FOLLOW:
        options.use_downstream_protocol_config.http_protocol_options.SetInParent()
        options.use_downstream_protocol_config.http2_protocol_options.SetInParent()
    elif speech == "h2":
        h2 = options.explicit_http_config.http2_protocol_options
        h2.SetInParent()
        _http2(h2, http)
    return options


def _error_codes(options: http_protocol_options_pb2.HttpProtocolOptions, outlier: OutlierDetection | None) -> None:
    """Statuses that count against an endpoint in place of 5xx (row DR-41)."""
    codes = dict.fromkeys(outlier.outlier_detection_http_error_codes) if outlier else {}
    rules = []
    for code in codes:
        rule = matcher_pb2.MatchPredicate()
        header = rule.http_response_headers_match.headers.add(name=":status")
        header.string_match.exact = str(code)
        rules.append(rule)
    if len(rules) == 1:
        options.outlier_detection.error_matcher.CopyFrom(rules[0])
    elif rules:
        options.outlier_detection.error_matcher.or_match.rules.extend(rules)


def _http2(h2: protocol_pb2.Http2ProtocolOptions, http: HTTPSettings) -> None:
    if http.max_concurrent_streams:
        h2.max_concurrent_streams.value = http.max_concurrent_streams
    keepalive = http.http2_keep_alive
    if keepalive is not None and keepalive.interval is not None and keepalive.timeout is not None:
        h2.connection_keepalive.interval.CopyFrom(duration(keepalive.interval))
        h2.connection_keepalive.timeout.CopyFrom(duration(keepalive.timeout))


def _common(options: http_protocol_options_pb2.HttpProtocolOptions, tcp: TCPSettings, http: HTTPSettings) -> None:
    common = options.common_http_protocol_options
    idle = http.idle_timeout or tcp.idle_timeout
    if idle is not None:
        common.idle_timeout.CopyFrom(duration(idle))
    if http.max_requests_per_connection:
        common.max_requests_per_connection.value = http.max_requests_per_connection
    if tcp.max_connection_duration is not None:
        common.max_connection_duration.CopyFrom(duration(tcp.max_connection_duration))


def _keepalive(cluster: cluster_pb2.Cluster, base: TcpKeepalive | None, own: TcpKeepalive | None) -> None:
    if base is None and own is None:
        return
    keepalive = cluster.upstream_connection_options.tcp_keepalive
    keepalive.SetInParent()
    for settings in (base, own):
        if settings is None:
            continue
        if settings.probes:
            keepalive.keepalive_probes.value = settings.probes
        if settings.time is not None:
            keepalive.keepalive_time.value = int(settings.time.seconds)
        if settings.interval is not None:
            keepalive.keepalive_interval.value = int(settings.interval.seconds)
