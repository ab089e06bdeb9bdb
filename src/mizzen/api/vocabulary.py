"""The words that enum fields take, and which fields exclude each other (row CM-03).

The types hold enums as plain text so that the names are Istio's own; the decoder checks them here. A oneof that
Istio's schema leaves to the webhook is not listed: validators judge it, with a better message.
"""

from __future__ import annotations

from collections.abc import Mapping

from mizzen.api import destination_rule as dr
from mizzen.api import envoy_filter as ef
from mizzen.api import extension as ext
from mizzen.api import gateway as gw
from mizzen.api import mesh_config as mc
from mizzen.api import security as sec
from mizzen.api import service_entry as se
from mizzen.api import sidecar as sc
from mizzen.api import telemetry as te
from mizzen.api import virtual_service as vs
from mizzen.api.match import StringMatch

_TLS_VERSIONS = ("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")
_WORKLOAD_MODES = ("UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER")
_PULL = ("UNSPECIFIED_POLICY", "IfNotPresent", "Always")
_FAIL = ("FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD")
_PLUGIN = ("UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK")
_CAPTURE = ("DEFAULT", "IPTABLES", "NONE")
_UPGRADE = ("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE")

ENUMS: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    dr.LoadBalancerSettings: {
        "simple": ("UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST")
    },
    dr.HTTPSettings: {"h2_upgrade_policy": _UPGRADE},
    dr.ClientTLSSettings: {"mode": ("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL")},
    dr.ProxyProtocol: {"version": ("V1", "V2")},
    gw.ServerTLSSettings: {
        "mode": (
            "PASSTHROUGH",
            "SIMPLE",
            "MUTUAL",
            "AUTO_PASSTHROUGH",
            "ISTIO_MUTUAL",
            "OPTIONAL_MUTUAL",
        ),
        "min_protocol_version": _TLS_VERSIONS,
        "max_protocol_version": _TLS_VERSIONS,
    },
    se.ServiceEntry: {
        "location": ("MESH_EXTERNAL", "MESH_INTERNAL"),
        "resolution": ("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"),
    },
    sc.OutboundTrafficPolicy: {"mode": ("REGISTRY_ONLY", "ALLOW_ANY", "ALLOW_ANY_DYNAMIC_DNS")},
    sc.IstioIngressListener: {"capture_mode": _CAPTURE},
    sc.IstioEgressListener: {"capture_mode": _CAPTURE},
    sec.MutualTLS: {"mode": ("UNSET", "DISABLE", "PERMISSIVE", "STRICT")},
    sec.JWTRule: {"presence": ("", "PRESENCE_UNSPECIFIED", "OPTIONAL", "REQUIRED")},
    sec.AuthorizationPolicy: {"action": ("ALLOW", "DENY", "AUDIT", "CUSTOM")},
    vs.CorsPolicy: {"unmatched_preflights": ("UNSPECIFIED", "FORWARD", "IGNORE")},
    vs.HTTPRedirect: {"derive_port": ("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT")},
    ef.EnvoyConfigObjectMatch: {
        "context": ("ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"),
    },
    ef.EnvoyConfigObjectPatch: {
        "apply_to": (
            "INVALID",
            "LISTENER",
            "FILTER_CHAIN",
            "NETWORK_FILTER",
            "HTTP_FILTER",
            "ROUTE_CONFIGURATION",
            "VIRTUAL_HOST",
            "HTTP_ROUTE",
            "CLUSTER",
            "EXTENSION_CONFIG",
            "BOOTSTRAP",
            "LISTENER_FILTER",
        )
    },
    ef.Patch: {
        "operation": (
            "INVALID",
            "MERGE",
            "ADD",
            "REMOVE",
            "INSERT_BEFORE",
            "INSERT_AFTER",
            "INSERT_FIRST",
            "REPLACE",
        ),
        "filter_class": ("UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"),
    },
    ext.TrafficSelector: {"mode": _WORKLOAD_MODES},
    ext.EnvVar: {"value_from": ("INLINE", "HOST")},
    ext.WasmPlugin: {
        "image_pull_policy": _PULL,
        "phase": ("UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"),
        "fail_strategy": _FAIL,
        "type": _PLUGIN,
    },
    ext.WasmConfig: {"image_pull_policy": _PULL, "fail_strategy": _FAIL, "type": _PLUGIN},
    ext.TrafficExtension: {"phase": ("UNSPECIFIED", "AUTHN", "AUTHZ", "STATS")},
    te.TracingSelector: {"mode": ("CLIENT_AND_SERVER", "CLIENT", "SERVER")},
    te.LogSelector: {"mode": ("CLIENT_AND_SERVER", "CLIENT", "SERVER")},
    te.MetricSelector: {
        "mode": ("CLIENT_AND_SERVER", "CLIENT", "SERVER"),
        "metric": ("ALL_METRICS", *te.METRICS),
    },
    te.TagOverride: {"operation": ("UPSERT", "REMOVE")},
    mc.MeshConfig: {
        "access_log_encoding": ("TEXT", "JSON"),
        "h2_upgrade_policy": ("DO_NOT_UPGRADE", "UPGRADE"),
        "ingress_controller_mode": ("UNSPECIFIED", "OFF", "DEFAULT", "STRICT"),
    },
    mc.InboundTrafficPolicy: {"mode": ("PASSTHROUGH", "LOCALHOST")},
    mc.PathNormalization: {"normalization": ("DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES")},
    mc.TLSConfig: {"min_protocol_version": _TLS_VERSIONS},
    mc.ConnectionSettings: {
        "profile": ("SIDECAR", "EDGE"),
        "http_headers_with_underscores_action": ("ALLOW", "REJECT_REQUEST", "DROP_HEADER"),
        "http_path_with_escaped_slashes_action": (
            "KEEP_UNCHANGED",
            "REJECT_REQUEST",
            "UNESCAPE_AND_REDIRECT",
            "UNESCAPE_AND_FORWARD",
        ),
    },
    mc.ProxyConfig: {
        "interception_mode": ("REDIRECT", "TPROXY", "NONE"),
        "tracing_service_name": (
            "APP_LABEL_AND_NAMESPACE",
            "CANONICAL_NAME_ONLY",
            "CANONICAL_NAME_AND_NAMESPACE",
        ),
    },
}

ONEOFS: Mapping[type, tuple[tuple[str, ...], ...]] = {
    StringMatch: (("exact", "prefix", "regex"),),
    dr.LoadBalancerSettings: (
        ("simple", "consistent_hash", "backend_utilization"),
        ("warmup", "warmup_duration_secs"),
    ),
    dr.ConsistentHashLB: (
        ("http_header_name", "http_cookie", "use_source_ip", "http_query_parameter_name"),
        ("ring_hash", "maglev"),
    ),
    vs.HTTPRedirect: (("port", "derive_port"),),
    vs.HTTPBody: (("string", "bytes"),),
    vs.FaultDelay: (("fixed_delay", "exponential_delay"),),
    vs.FaultAbort: (("http_status", "grpc_status", "http2_error"),),
    se.ReadinessProbe: (("http_get", "tcp_socket", "exec", "grpc"),),
    sec.RequestAuthentication: (("selector", "target_ref", "target_refs"),),
    sec.AuthorizationPolicy: (("selector", "target_ref", "target_refs"),),
    te.Telemetry: (("selector", "target_ref", "target_refs"),),
    mc.Tracing: (("zipkin", "datadog", "lightstep", "stackdriver", "open_census_agent"),),
    mc.CustomTag: (("literal", "environment", "header", "formatter"),),
    te.MetricSelector: (("metric", "custom_metric"),),
    ext.WasmPlugin: (("selector", "target_ref", "target_refs"),),
    ext.TrafficExtension: (("selector", "target_refs"), ("wasm", "lua")),
    ef.EnvoyConfigObjectMatch: (("listener", "route_configuration", "cluster", "waypoint"),),
    ef.EnvoyFilter: (("workload_selector", "target_refs"),),
}

NOT_EMPTY: Mapping[type, tuple[str, ...]] = {
    sec.Rule: ("from_", "to", "when"),
    sec.PeerAuthentication: ("port_level_mtls",),
}
"""Lists and maps that mean something else when left out than when empty; given, they need an entry (PA-06, AP-21)."""

UNSIGNED: Mapping[type, tuple[str, ...]] = {
    dr.RingHash: ("minimum_ring_size",),
    dr.Maglev: ("table_size",),
    dr.ConsistentHashLB: ("minimum_ring_size",),
    dr.ZoneAwareLbSetting: ("min_cluster_size",),
    dr.TcpKeepalive: ("probes",),
    dr.OutlierDetection: (
        "consecutive_local_origin_failures",
        "consecutive_gateway_errors",
        "consecutive_5xx_errors",
    ),
    dr.TunnelSettings: ("target_port",),
    dr.RetryBudget: ("min_retry_concurrency",),
    mc.ConnectionSettings: (
        "http_max_concurrent_streams",
        "http2_initial_stream_window_size",
        "http2_initial_connection_window_size",
        "listener_per_connection_buffer_limit_bytes",
        "global_downstream_connection_limit",
        "cluster_per_connection_buffer_limit_bytes",
        "listener_connection_limit",
    ),
}
"""Numbers that are unsigned in Istio's API and that nothing else judges: below zero its schema refuses them."""

RETIRED: Mapping[type, Mapping[str, str]] = {
    vs.HTTPRoute: {"websocketUpgrade": "websockets work without it"},
}
"""Fields of the past that old files still carry; they have no effect, with a warning that says why."""

ALIASES: Mapping[type, Mapping[str, str]] = {
    vs.HTTPRoute: {"mirror_percent": "mirrorPercent"},
    sec.JWTRule: {"jwks_uri": "jwksUri"},
}
"""Old spellings that Istio's own schema still takes (row CM-04)."""
