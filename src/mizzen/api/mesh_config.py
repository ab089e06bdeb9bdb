"""MeshConfig (ConfigMap ``istio``, key ``mesh``) and ProxyConfig. Source: istio/api mesh/v1alpha1, rows MC-*, PC-*.

Fields that Mizzen acts on are typed; the decoder reports every other key.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from mizzen.api.destination_rule import LocalityLoadBalancerSetting, TcpKeepalive, TrafficPolicy, ZoneAwareLbSetting
from mizzen.api.meta import Duration
from mizzen.api.sidecar import OutboundTrafficPolicy
from mizzen.api.virtual_service import HTTPRetry


class CollectorAddress(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``host:port`` of a trace collector, in the old form that the bootstrap takes (row PC-06)."""

    address: str = ""


class EnvironmentTag(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    name: str = ""
    default_value: str = ""


class HeaderTag(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    name: str = ""
    default_value: str = ""


class LiteralTag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    value: str = ""


class FormatterTag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``value`` is a format string as access logs have them."""

    value: str = ""


class CustomTag(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the four is set."""

    literal: LiteralTag | None = None
    environment: EnvironmentTag | None = None
    header: HeaderTag | None = None
    formatter: FormatterTag | None = None


class Tracing(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """``sampling`` in percent; 0 counts as unset (row TR-06). Lightstep, Stackdriver and OpenCensus have no effect."""

    zipkin: CollectorAddress | None = None
    datadog: CollectorAddress | None = None
    lightstep: dict[str, Any] | None = None
    stackdriver: dict[str, Any] | None = None
    open_census_agent: dict[str, Any] | None = None
    custom_tags: dict[str, CustomTag] = {}
    max_path_tag_length: int = 0
    sampling: float = 0.0
    tls_settings: dict[str, Any] | None = None
    enable_istio_tags: bool | None = None


class ConnectionSettings(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Limits of connections (row PC-14). The last two are taken and have no effect, as in Istio."""

    profile: str = "SIDECAR"
    http_idle_timeout: Duration | None = None
    http_max_connection_duration: Duration | None = None
    http_drain_timeout: Duration | None = None
    http_request_timeout: Duration | None = None
    http_request_headers_timeout: Duration | None = None
    http_stream_idle_timeout: Duration | None = None
    http_max_stream_duration: Duration | None = None
    http_max_concurrent_streams: int | None = None
    http2_initial_stream_window_size: int | None = None
    http2_initial_connection_window_size: int | None = None
    http_headers_with_underscores_action: str | None = None
    http_merge_slashes: bool | None = None
    http_path_with_escaped_slashes_action: str | None = None
    listener_per_connection_buffer_limit_bytes: int | None = None
    global_downstream_connection_limit: int | None = None
    cluster_per_connection_buffer_limit_bytes: int | None = None
    listener_connection_limit: int | None = None


class DefaultProviders(Struct, frozen=True, kw_only=True, rename="camel"):
    """Names among ``extensionProviders`` and the built-in ones, where no Telemetry object says otherwise (row MC-05)."""

    tracing: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    access_logging: tuple[str, ...] = ()


class ProxyConfig(Struct, frozen=True, kw_only=True, rename="camel"):
    config_path: str = "./etc/istio/proxy"
    binary_path: str = "/usr/local/bin/envoy"
    service_cluster: str = "istio-proxy"
    drain_duration: Duration | None = None
    termination_drain_duration: Duration | None = None
    discovery_address: str = ""
    concurrency: int | None = None
    status_port: int = 15020
    proxy_admin_port: int = 15000
    proxy_metadata: dict[str, str] = {}
    hold_application_until_proxy_starts: bool | None = None
    image: dict[str, Any] = {}
    environment_variables: dict[str, str] = {}
    interception_mode: str = ""
    readiness_probe: dict[str, Any] = {}
    tracing: Tracing | None = None
    connection_settings: ConnectionSettings | None = None
    proxy_stats_matcher: dict[str, Any] = {}
    extra_stat_tags: tuple[str, ...] = ()
    proxy_headers: dict[str, Any] = {}
    gateway_topology: dict[str, Any] = {}
    control_plane_auth_policy: Any = None
    stat_name_length: int = 0
    mesh_id: str = ""
    proxy_bootstrap_template_path: str = ""
    runtime_values: dict[str, str] = {}
    envoy_access_log_service: dict[str, Any] = {}
    envoy_metrics_service: dict[str, Any] = {}
    statsd_udp_address: str = ""
    tracing_service_name: str = "APP_LABEL_AND_NAMESPACE"


class InboundTrafficPolicy(Struct, frozen=True, kw_only=True):
    mode: str = "PASSTHROUGH"


class PathNormalization(Struct, frozen=True, kw_only=True):
    normalization: str = "DEFAULT"


class TLSConfig(Struct, frozen=True, kw_only=True, rename="camel"):
    min_protocol_version: str = "TLS_AUTO"
    ecdh_curves: tuple[str, ...] = ()
    cipher_suites: tuple[str, ...] = ()


class LocalSettings(Struct, frozen=True, kw_only=True, rename="camel"):
    cluster_local: bool = False


class ServiceSettings(Struct, frozen=True, kw_only=True):
    """Which hosts (wildcards too) stay in their own cluster (rows MC-24, MCL-04)."""

    settings: LocalSettings = LocalSettings()
    hosts: tuple[str, ...] = ()


class MeshConfig(Struct, frozen=True, kw_only=True, rename="camel"):
    trust_domain: str = "cluster.local"
    trust_domain_aliases: tuple[str, ...] = ()
    root_namespace: str = "istio-system"
    mesh_id: str = ""
    ingress_class: str = "istio"
    ingress_service: str = "istio-ingressgateway"
    ingress_controller_mode: str = "STRICT"
    ingress_selector: str = ""
    connect_timeout: Duration = Duration(10_000_000_000)
    protocol_detection_timeout: Duration = Duration(0)
    tcp_keepalive: TcpKeepalive | None = None
    h2_upgrade_policy: str = "DO_NOT_UPGRADE"
    enable_auto_mtls: bool = True
    enable_tracing: bool = True
    enable_prometheus_merge: bool = True
    access_log_file: str = ""
    access_log_format: str = ""
    access_log_encoding: str = "TEXT"
    disable_envoy_listener_log: bool = False
    default_config: ProxyConfig = ProxyConfig()
    outbound_traffic_policy: OutboundTrafficPolicy = OutboundTrafficPolicy(mode="ALLOW_ANY")
    inbound_traffic_policy: InboundTrafficPolicy = InboundTrafficPolicy()
    default_service_export_to: tuple[str, ...] = ("*",)
    default_virtual_service_export_to: tuple[str, ...] = ("*",)
    default_destination_rule_export_to: tuple[str, ...] = ("*",)
    default_http_retry_policy: HTTPRetry | None = None
    default_inbound_http_retry_policy: HTTPRetry | None = None
    default_traffic_policy: TrafficPolicy | None = None
    locality_lb_setting: LocalityLoadBalancerSetting | None = None
    zone_aware_lb_setting: ZoneAwareLbSetting | None = None
    path_normalization: PathNormalization = PathNormalization()
    mesh_mtls: TLSConfig | None = field(default=None, name="meshMTLS")
    tls_defaults: TLSConfig | None = None
    default_providers: DefaultProviders = DefaultProviders()
    extension_providers: tuple[dict[str, Any], ...] = ()
    discovery_selectors: tuple[dict[str, Any], ...] = ()
    service_settings: tuple[ServiceSettings, ...] = ()
    service_entry_visibility: dict[str, Any] = {}
    ca_certificates: tuple[dict[str, Any], ...] = ()
    dns_refresh_rate: Duration = Duration(60_000_000_000)
    proxy_listen_port: int = 15001
    proxy_inbound_listen_port: int = 15006
    proxy_http_port: int = 0
    verify_certificate_at_client: bool | None = None
    outbound_cluster_stat_name: str = ""
    inbound_cluster_stat_name: str = ""
    enable_envoy_access_log_service: bool = False
