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
    tracing: dict[str, Any] = {}
    proxy_stats_matcher: dict[str, Any] = {}
    extra_stat_tags: tuple[str, ...] = ()
    proxy_headers: dict[str, Any] = {}
    gateway_topology: dict[str, Any] = {}
    control_plane_auth_policy: Any = None
    stat_name_length: int = 0
    mesh_id: str = ""
    proxy_bootstrap_template_path: str = ""


class InboundTrafficPolicy(Struct, frozen=True, kw_only=True):
    mode: str = "PASSTHROUGH"


class PathNormalization(Struct, frozen=True, kw_only=True):
    normalization: str = "DEFAULT"


class TLSConfig(Struct, frozen=True, kw_only=True, rename="camel"):
    min_protocol_version: str = "TLS_AUTO"
    ecdh_curves: tuple[str, ...] = ()
    cipher_suites: tuple[str, ...] = ()


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
    enable_tracing: bool = False
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
    default_providers: dict[str, Any] = {}
    extension_providers: tuple[dict[str, Any], ...] = ()
    discovery_selectors: tuple[dict[str, Any], ...] = ()
    service_settings: tuple[dict[str, Any], ...] = ()
    ca_certificates: tuple[dict[str, Any], ...] = ()
    dns_refresh_rate: Duration = Duration(60_000_000_000)
    proxy_listen_port: int = 15001
    proxy_inbound_listen_port: int = 15006
    proxy_http_port: int = 0
    verify_certificate_at_client: bool | None = None
    outbound_cluster_stat_name: str = ""
    inbound_cluster_stat_name: str = ""
    enable_envoy_access_log_service: bool = False
