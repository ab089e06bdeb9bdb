"""The blocks of a traffic policy: load balancing, connection pool, outlier detection, TLS. Rows DR-08 to DR-54."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.api.destination_rule import (
    ClientTLSSettings,
    ConnectionPoolSettings,
    HTTPSettings,
    OutlierDetection,
    PortTrafficPolicy,
    TCPSettings,
    TrafficPolicy,
    TunnelSettings,
)
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.check.validators import load_balancer

LONGEST_SNI = 255


def validate(policy: TrafficPolicy, path: str, notes: Notes) -> None:
    blocks = [getattr(policy, name) for name in TrafficPolicy.__struct_fields__]
    if not any(block is not None and block != () for block in blocks):
        notes.error(path, "a traffic policy needs at least one block")
        return
    _blocks(policy, path, notes)
    for index, port in enumerate(policy.port_level_settings):
        where = f"{path}.portLevelSettings[{index}]"
        if notes.need(port.port is not None, f"{where}.port", "a port is required") and port.port is not None:
            rules.port(notes, f"{where}.port.number", port.port.number)
        _blocks(port, where, notes)
    numbers = [port.port.number for port in policy.port_level_settings if port.port is not None]
    rules.unique(notes, f"{path}.portLevelSettings", numbers, "one entry per port")
    if policy.tunnel is not None:
        _tunnel(policy.tunnel, f"{path}.tunnel", notes)
        notes.need(policy.proxy_protocol is None, f"{path}.proxyProtocol", "does not go with tunnel")
    if policy.retry_budget is not None:
        rules.percent(notes, f"{path}.retryBudget.percent", policy.retry_budget.percent)
        if policy.retry_budget.budget_interval is not None:
            notes.warn(f"{path}.retryBudget.budgetInterval", "has no effect: this Envoy counts requests in flight only")


def _blocks(policy: TrafficPolicy | PortTrafficPolicy, path: str, notes: Notes) -> None:
    if policy.connection_pool is not None:
        connection_pool(policy.connection_pool, f"{path}.connectionPool", notes)
    if policy.outlier_detection is not None:
        _outlier(policy.outlier_detection, f"{path}.outlierDetection", notes)
    if policy.load_balancer is not None:
        load_balancer.validate(
            policy.load_balancer, f"{path}.loadBalancer", notes, policy.outlier_detection is not None
        )
    if policy.tls is not None:
        client_tls(policy.tls, f"{path}.tls", notes)


def connection_pool(pool: ConnectionPoolSettings, path: str, notes: Notes) -> None:
    """Rows DR-24 to DR-35."""
    if pool.tcp is None and pool.http is None:
        notes.error(path, "a connection pool needs tcp or http")
    if pool.tcp is not None:
        _tcp(pool.tcp, f"{path}.tcp", notes)
    if pool.http is not None:
        _http(pool.http, f"{path}.http", notes)


def _tcp(tcp: TCPSettings, path: str, notes: Notes) -> None:
    notes.need(tcp.max_connections >= 0, f"{path}.maxConnections", "0 or more")
    rules.duration(notes, f"{path}.connectTimeout", tcp.connect_timeout)
    rules.duration(notes, f"{path}.maxConnectionDuration", tcp.max_connection_duration)
    rules.duration(notes, f"{path}.idleTimeout", tcp.idle_timeout, zero=True)
    if tcp.tcp_keepalive is not None:
        for name, value in (("time", tcp.tcp_keepalive.time), ("interval", tcp.tcp_keepalive.interval)):
            whole = value is None or (value.nanos > 0 and value.nanos % 1_000_000_000 == 0)
            notes.need(whole, f"{path}.tcpKeepalive.{name}", "whole seconds only")


def _http(http: HTTPSettings, path: str, notes: Notes) -> None:
    for field, name in (
        ("http1_max_pending_requests", "http1MaxPendingRequests"),
        ("http2_max_requests", "http2MaxRequests"),
        ("max_requests_per_connection", "maxRequestsPerConnection"),
        ("max_retries", "maxRetries"),
        ("max_concurrent_streams", "maxConcurrentStreams"),
    ):
        notes.need(getattr(http, field) >= 0, f"{path}.{name}", "0 or more")
    rules.duration(notes, f"{path}.idleTimeout", http.idle_timeout, zero=True)
    if http.h2_upgrade_policy == "UPGRADE":
        notes.need(
            not http.use_client_protocol, f"{path}.useClientProtocol", "does not go with h2UpgradePolicy UPGRADE"
        )
    if http.http2_keep_alive is not None:
        rules.duration(notes, f"{path}.http2KeepAlive.interval", http.http2_keep_alive.interval)
        rules.duration(notes, f"{path}.http2KeepAlive.timeout", http.http2_keep_alive.timeout)


def tls_blocks(policy: TrafficPolicy | None, path: str) -> Iterator[tuple[str, ClientTLSSettings]]:
    """The TLS blocks of a policy and where they stand."""
    if policy is None:
        return
    if policy.tls is not None:
        yield f"{path}.tls", policy.tls
    for index, entry in enumerate(policy.port_level_settings):
        if entry.tls is not None:
            yield f"{path}.portLevelSettings[{index}].tls", entry.tls


def _outlier(outlier: OutlierDetection, path: str, notes: Notes) -> None:
    """Rows DR-37 to DR-41."""
    rules.duration(notes, f"{path}.interval", outlier.interval)
    rules.duration(notes, f"{path}.baseEjectionTime", outlier.base_ejection_time)
    for name, value in (
        ("maxEjectionPercent", outlier.max_ejection_percent),
        ("minHealthPercent", outlier.min_health_percent),
    ):
        notes.need(0 <= value <= 100, f"{path}.{name}", "from 0 to 100")
    if outlier.consecutive_local_origin_failures:
        split = outlier.split_external_local_origin_errors
        notes.need(split, f"{path}.consecutiveLocalOriginFailures", "needs splitExternalLocalOriginErrors: true")
    if outlier.consecutive_errors:
        notes.warn(f"{path}.consecutiveErrors", "has no effect; write consecutive5xxErrors", codes.DEPRECATED)
    for index, status in enumerate(outlier.outlier_detection_http_error_codes):
        notes.need(100 <= status <= 599, f"{path}.outlierDetectionHttpErrorCodes[{index}]", "a status from 100 to 599")


def client_tls(tls: ClientTLSSettings, path: str, notes: Notes) -> None:
    """Rows DR-44 to DR-49."""
    files = [name for name in ("clientCertificate", "privateKey", "caCertificates") if getattr(tls, _FIELDS[name])]
    if tls.insecure_skip_verify and tls.mode in ("SIMPLE", "MUTUAL"):
        checks = {"caCertificates": tls.ca_certificates, "subjectAltNames": tls.subject_alt_names}
        if tls.mode == "SIMPLE":
            checks["credentialName"] = tls.credential_name
        for name, value in checks.items():
            notes.need(not value, f"{path}.{name}", "does not go with insecureSkipVerify, which checks nothing")
    if tls.mode == "MUTUAL" and not tls.credential_name:
        notes.need(bool(tls.client_certificate), f"{path}.clientCertificate", "MUTUAL needs a client certificate")
        notes.need(bool(tls.private_key), f"{path}.privateKey", "MUTUAL needs a private key")
    if tls.credential_name and tls.mode in ("SIMPLE", "MUTUAL"):
        notes.need(not files, path, f"{', '.join(files)} do not go with credentialName")
        notes.need(not tls.ca_crl, f"{path}.caCrl", "does not go with credentialName: the list lies in the secret")
        public = tls.credential_name.startswith("configmap://")
        notes.need(not public or tls.mode == "SIMPLE", f"{path}.credentialName", "a ConfigMap holds authorities only")
    notes.need(len(tls.sni.encode()) <= LONGEST_SNI, f"{path}.sni", f"at most {LONGEST_SNI} bytes")
    if any(not name for name in tls.subject_alt_names):
        notes.error(f"{path}.subjectAltNames", "a name may not be empty")


_FIELDS = {
    "clientCertificate": "client_certificate",
    "privateKey": "private_key",
    "caCertificates": "ca_certificates",
}


def _tunnel(tunnel: TunnelSettings, path: str, notes: Notes) -> None:
    notes.need(tunnel.protocol in ("", "CONNECT", "POST"), f"{path}.protocol", "CONNECT or POST")
    reachable = rules.is_ip(tunnel.target_host) or rules.fqdn(tunnel.target_host)
    notes.need(reachable, f"{path}.targetHost", "a host name or address is required")
    rules.port(notes, f"{path}.targetPort", tunnel.target_port)
