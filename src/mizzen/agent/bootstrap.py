"""Envoy's bootstrap, rendered pure: node, xDS over mTLS, two static listeners, stats, admin (row AG-01, decision 2)."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from mizzen.agent import collectors
from mizzen.agent.node import node
from mizzen.agent.settings import Settings
from mizzen.agent.stats import stats_config

Json = dict[str, Any]
ENVOY_STATS_PATH = "/stats/envoy"
"""The agent's path that 15090 is routed to: Envoy's own metrics, renamed."""

_TYPE = "type.googleapis.com/envoy."
_HCM = _TYPE + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = _TYPE + "extensions.filters.http.router.v3.Router"
_HTTP_OPTIONS = _TYPE + "extensions.upstreams.http.v3.HttpProtocolOptions"
_TLS = _TYPE + "extensions.transport_sockets.tls.v3.UpstreamTlsContext"
WATCH = "agent-watch"
"""The listener and the cluster of the agent's long polls, also in Envoy's statistics."""
_MONITOR = _TYPE + "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"


def bootstrap(settings: Settings) -> Json:
    """The whole bootstrap as Envoy's JSON."""
    ads = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    grpc = [{"envoy_grpc": {"cluster_name": "xds-grpc"}}]
    return {
        "application_log_config": {"log_format": _log_format(settings)},
        "node": node(settings),
        "layered_runtime": _runtime(settings),
        "stats_config": stats_config(settings),
        "admin": {"address": _address("127.0.0.1", settings.admin_port)},
        "dynamic_resources": {
            "lds_config": ads,
            "cds_config": ads,
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "set_node_on_first_message_only": True,
                "transport_api_version": "V3",
                "grpc_services": grpc,
            },
        },
        "static_resources": {
            "clusters": [
                _static_cluster("prometheus_stats", settings.status_port),
                _static_cluster("agent", settings.status_port),
                _discovery_cluster(settings),
                *collectors.clusters(settings),
                *([_watch_cluster(settings)] if _watched(settings) else []),
            ],
            "listeners": [
                _metrics_listener(settings),
                _status_listener(settings),
                *([_watch_listener(settings)] if _watched(settings) else []),
            ],
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {"@type": _MONITOR, "max_active_downstream_connections": _connections(settings)},
                }
            ]
        },
        **_sinks(settings),
        **_outlier_log(settings),
    }


def _log_format(settings: Settings) -> Json:
    """Of Envoy's own lines: Istio's (row AG-17)."""
    if not settings.log_as_json:
        return {"text_format": "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t"}
    fields = {
        "time": "%Y-%m-%dT%T.%fZ",
        "level": "%l",
        "scope": "envoy %n",
        "msg": "%j",
        "caller": "%g:%#",
        "thread": "%t",
    }
    return {"json_format": fields}


def _connections(settings: Settings) -> int:
    """ProxyConfig's limit, else the older ways to set it, else none (row PC-14)."""
    config = settings.proxy_config
    own = config.get("connectionSettings") or {}
    for asked in (
        own.get("globalDownstreamConnectionLimit"),
        settings.node_metadata.get("GLOBAL_DOWNSTREAM_MAX_CONNECTIONS"),
        (config.get("runtimeValues") or {}).get("overload.global_downstream_max_connections"),
    ):
        if str(asked or "").isdigit():
            return int(str(asked))
    return 2147483647


def _outlier_log(settings: Settings) -> Json:
    path = settings.outlier_log_path
    return {"cluster_manager": {"outlier_detection": {"event_log_path": path}}} if path else {}


def _sinks(settings: Settings) -> Json:
    found = collectors.sinks(settings)
    return {"stats_sinks": found} if found else {}


def _runtime(settings: Settings) -> Json:
    """ProxyConfig's ``runtimeValues`` go over Istio's own (row PC-08)."""
    values = settings.proxy_config.get("runtimeValues")
    static: Json = {
        # Istio's choices: paths with fragments pass, and users' regular expressions may be long.
        "envoy.reloadable_features.http_reject_path_with_fragment": False,
        "re2.max_program_size.error_level": "32768",
        **(values if isinstance(values, dict) else {}),
    }
    return {"layers": [{"name": "global config", "static_layer": static}, {"name": "admin", "admin_layer": {}}]}


def _address(host: str, port: int) -> Json:
    return {"socket_address": {"address": host, "port_value": port}}


def _endpoints(name: str, host: str, port: int) -> Json:
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, port)}}]}]}


def _static_cluster(name: str, port: int) -> Json:
    return {
        "name": name,
        "alt_stat_name": f"{name};",
        "type": "STATIC",
        "connect_timeout": "0.250s",
        "load_assignment": _endpoints(name, "127.0.0.1", port),
    }


def _discovery_cluster(settings: Settings) -> Json:
    host, port = settings.discovery
    thresholds = {"max_connections": 100000, "max_pending_requests": 100000, "max_requests": 100000}
    keepalive = {"connection_keepalive": {"interval": "30s", "timeout": "10s"}}
    return {
        "name": "xds-grpc",
        "alt_stat_name": "xds-grpc;",
        "type": "STATIC" if _is_address(host) else "STRICT_DNS",
        "dns_lookup_family": "V6_ONLY" if ":" in settings.instance_ip else "V4_ONLY",
        "respect_dns_ttl": True,
        "dns_refresh_rate": "5s",
        "connect_timeout": "5s",
        "load_assignment": _endpoints("xds-grpc", host, port),
        "circuit_breakers": {"thresholds": [{"priority": p, **thresholds} for p in ("DEFAULT", "HIGH")]},
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 300}},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP_OPTIONS,
                "explicit_http_config": {"http2_protocol_options": keepalive},
            }
        },
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": _control_tls(settings, host, "h2")},
    }


def _watched(settings: Settings) -> list[tuple[str, str]]:
    """Methods and paths of what the agent asks and reports: names, modules, a machine's health (docs/adr/0010, 0013)."""
    names = [("GET", "/agent/v1/watch")] if settings.dns_proxy else []
    modules = [("POST", "/agent/v1/modules")] if settings.wasm is not None else []
    return names + modules + ([("POST", "/agent/v1/health")] if settings.health_probe is not None else [])


def _watch_cluster(settings: Settings) -> Json:
    """The control plane's HTTPS port, for the agent's long polls (docs/adr/0010)."""
    parts = urlsplit(settings.control_plane_url)
    host, port = parts.hostname or settings.discovery[0], parts.port or 443
    tls = _control_tls(settings, host, "http/1.1")
    return {
        "name": WATCH,
        "alt_stat_name": f"{WATCH};",
        "type": "STATIC" if _is_address(host) else "STRICT_DNS",
        "dns_lookup_family": "V6_ONLY" if ":" in settings.instance_ip else "V4_ONLY",
        "respect_dns_ttl": True,
        "dns_refresh_rate": "5s",
        "connect_timeout": "5s",
        "load_assignment": _endpoints(WATCH, host, port),
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
    }


def _watch_listener(settings: Settings) -> Json:
    """One method of each path, on a socket that only the proxy's own user can open."""
    routes = [
        {
            "match": {"path": path, "headers": [{"name": ":method", "string_match": {"exact": method}}]},
            "route": {"cluster": WATCH, "timeout": "0s", "idle_timeout": "0s"},
        }
        for method, path in _watched(settings)
    ]
    listener = _listener(WATCH, "", 0, WATCH, *routes)
    pipe = {"pipe": {"path": str(settings.watch_path), "mode": 0o600}}
    return {**listener, "address": pipe, "stat_prefix": WATCH}


def _control_tls(settings: Settings, host: str, protocol: str) -> Json:
    san = {"san_type": "IP_ADDRESS" if _is_address(host) else "DNS", "matcher": {"exact": host}}
    return {
        "@type": _TLS,
        **({} if _is_address(host) else {"sni": host}),
        "common_tls_context": {
            "alpn_protocols": [protocol],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificate_sds_secret_configs": [
                {"name": "default", "sds_config": _file_source(settings, "default")}
            ],
            "combined_validation_context": {
                "default_validation_context": {"match_typed_subject_alt_names": [san]},
                "validation_context_sds_secret_config": {
                    "name": "ROOTCA",
                    "sds_config": _file_source(settings, "ROOTCA"),
                },
            },
        },
    }


def _file_source(settings: Settings, name: str) -> Json:
    """Field for field what the control plane sends for its clusters: Envoy then watches each file once and not twice.

    A watch is an inotify instance, of which Linux gives a user 128, and all sidecars of a machine are one user.
    """
    directory = str(settings.sds_path)
    return {
        "path_config_source": {"path": f"{directory}/{name}.json", "watched_directory": {"path": directory}},
        "resource_api_version": "V3",
    }


def _metrics_listener(settings: Settings) -> Json:
    host = "127.0.0.1" if settings.metrics_localhost_only else "0.0.0.0"  # noqa: S104 - Prometheus comes from outside
    route = {
        "match": {"prefix": "/stats/prometheus"},
        "route": {"cluster": "prometheus_stats", "prefix_rewrite": ENVOY_STATS_PATH},
    }
    return _listener(f"0.0.0.0_{settings.envoy_prometheus_port}", host, settings.envoy_prometheus_port, "stats", route)


def _status_listener(settings: Settings) -> Json:
    route = {"match": {"prefix": "/healthz/ready"}, "route": {"cluster": "agent"}}
    return _listener(f"0.0.0.0_{settings.envoy_status_port}", "0.0.0.0", settings.envoy_status_port, "agent", route)  # noqa: S104


def _listener(name: str, host: str, port: int, prefix: str, *routes: Json) -> Json:
    manager = {
        "@type": _HCM,
        "codec_type": "AUTO",
        "stat_prefix": prefix,
        "route_config": {"virtual_hosts": [{"name": "backend", "domains": ["*"], "routes": list(routes)}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
    }
    return {
        "name": name,
        "address": _address(host, port),
        "ignore_global_conn_limit": True,
        "bypass_overload_manager": True,
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
