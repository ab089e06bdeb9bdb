"""networking.istio.io DestinationRule. Source: istio/api networking/v1alpha3/destination_rule.proto, rows DR-*."""

from __future__ import annotations

from msgspec import Struct, field

from mizzen.api.match import PortSelector
from mizzen.api.meta import Duration, LabelSelector


class HTTPCookieAttribute(Struct, frozen=True, kw_only=True):
    name: str = ""
    value: str = ""


class HTTPCookie(Struct, frozen=True, kw_only=True):
    name: str = ""
    path: str = ""
    ttl: Duration | None = None
    attributes: tuple[HTTPCookieAttribute, ...] = ()


class RingHash(Struct, frozen=True, kw_only=True, rename="camel"):
    minimum_ring_size: int = 0


class Maglev(Struct, frozen=True, kw_only=True, rename="camel"):
    table_size: int = 0


class ConsistentHashLB(Struct, frozen=True, kw_only=True, rename="camel"):
    http_header_name: str | None = None
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool | None = None
    http_query_parameter_name: str | None = None
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None
    minimum_ring_size: int = 0


class Distribute(Struct, frozen=True, kw_only=True):
    from_: str = field(default="", name="from")
    to: dict[str, int] = {}


class Failover(Struct, frozen=True, kw_only=True):
    from_: str = field(default="", name="from")
    to: str = ""


class LocalityLoadBalancerSetting(Struct, frozen=True, kw_only=True, rename="camel"):
    distribute: tuple[Distribute, ...] = ()
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    enabled: bool | None = None


class ZoneAwareLbSetting(Struct, frozen=True, kw_only=True, rename="camel"):
    enabled: bool | None = None
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    min_cluster_size: int | None = None


class WarmupConfiguration(Struct, frozen=True, kw_only=True, rename="camel"):
    duration: Duration | None = None
    minimum_percent: float | None = None
    aggression: float | None = None


class BackendUtilization(Struct, frozen=True, kw_only=True, rename="camel"):
    metric_names_for_computing_utilization: tuple[str, ...] = ()
    error_utilization_penalty_percent: float | None = None
    weight_update_period: Duration | None = None
    weight_stabilization_period: Duration | None = None
    weight_expiration_period: Duration | None = None


class LoadBalancerSettings(Struct, frozen=True, kw_only=True, rename="camel"):
    simple: str | None = None
    consistent_hash: ConsistentHashLB | None = None
    backend_utilization: BackendUtilization | None = None
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    zone_aware_lb_setting: ZoneAwareLbSetting | None = None
    warmup_duration_secs: Duration | None = None
    warmup: WarmupConfiguration | None = None


class TcpKeepalive(Struct, frozen=True, kw_only=True):
    probes: int = 0
    time: Duration | None = None
    interval: Duration | None = None


class TCPSettings(Struct, frozen=True, kw_only=True, rename="camel"):
    max_connections: int = 0
    connect_timeout: Duration | None = None
    tcp_keepalive: TcpKeepalive | None = None
    max_connection_duration: Duration | None = None
    idle_timeout: Duration | None = None


class HTTP2KeepAlive(Struct, frozen=True, kw_only=True):
    interval: Duration | None = None
    timeout: Duration | None = None


class HTTPSettings(Struct, frozen=True, kw_only=True, rename="camel"):
    http1_max_pending_requests: int = 0
    http2_max_requests: int = 0
    max_requests_per_connection: int = 0
    max_retries: int = 0
    idle_timeout: Duration | None = None
    h2_upgrade_policy: str = ""
    use_client_protocol: bool = False
    max_concurrent_streams: int = 0
    http2_keep_alive: HTTP2KeepAlive | None = field(default=None, name="http2KeepAlive")


class ConnectionPoolSettings(Struct, frozen=True, kw_only=True):
    tcp: TCPSettings | None = None
    http: HTTPSettings | None = None


class OutlierDetection(Struct, frozen=True, kw_only=True, rename="camel"):
    consecutive_errors: int = 0
    split_external_local_origin_errors: bool = False
    consecutive_local_origin_failures: int | None = None
    consecutive_gateway_errors: int | None = None
    consecutive_5xx_errors: int | None = field(default=None, name="consecutive5xxErrors")
    interval: Duration | None = None
    base_ejection_time: Duration | None = None
    max_ejection_percent: int = 0
    min_health_percent: int = 0
    outlier_detection_http_error_codes: tuple[int, ...] = ()


class ClientTLSSettings(Struct, frozen=True, kw_only=True, rename="camel"):
    mode: str = "DISABLE"
    client_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    sni: str = ""
    insecure_skip_verify: bool | None = None


class TunnelSettings(Struct, frozen=True, kw_only=True, rename="camel"):
    protocol: str = ""
    target_host: str = ""
    target_port: int = 0


class ProxyProtocol(Struct, frozen=True, kw_only=True):
    version: str = "V1"


class RetryBudget(Struct, frozen=True, kw_only=True, rename="camel"):
    percent: float | None = None
    min_retry_concurrency: int = 0
    budget_interval: Duration | None = None


class PortTrafficPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    port: PortSelector | None = None
    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None


class TrafficPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLSSettings | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    tunnel: TunnelSettings | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


class Subset(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    labels: dict[str, str] = {}
    traffic_policy: TrafficPolicy | None = None


class DestinationRule(Struct, frozen=True, kw_only=True, rename="camel"):
    host: str = ""
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[str, ...] = ()
    workload_selector: LabelSelector | None = None
