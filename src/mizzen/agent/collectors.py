"""Clusters of the bootstrap that lead out of the mesh's own control: old-form trace collectors, Envoy's log and metrics
services, statsd (rows PC-06, PC-12).

The control plane knows from PROXY_CONFIG which of them a proxy has; a listener may name only those.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from mizzen.agent.settings import Settings

Json = dict[str, Any]

_TYPE = "type.googleapis.com/envoy."
_HTTP_OPTIONS = _TYPE + "extensions.upstreams.http.v3.HttpProtocolOptions"
_TLS = _TYPE + "extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_METRICS = _TYPE + "config.metrics.v3.MetricsServiceConfig"
_STATSD = _TYPE + "config.metrics.v3.StatsdSink"
_TRACERS = {"zipkin": "zipkin", "datadog": "datadog_agent", "lightstep": "lightstep"}
_SERVICES = {"envoyAccessLogService": "envoy_accesslog_service", "envoyMetricsService": "envoy_metrics_service"}


def clusters(settings: Settings) -> list[Json]:
    """Those that ProxyConfig gives an address for."""
    config, found = settings.proxy_config, []
    tracing = _map(config, "tracing")
    for kind, name in _TRACERS.items():
        if address := _address(settings, _map(tracing, kind)):
            found.append(_cluster(name, address, _map(tracing, "tlsSettings"), http2=kind == "lightstep"))
    for field, name in _SERVICES.items():
        service = _map(config, field)
        if address := _address(settings, service):
            found.append(_cluster(name, address, _map(service, "tlsSettings"), http2=True))
    return found


def sinks(settings: Settings) -> list[Json]:
    """Where Envoy's own statistics are pushed to."""
    found: list[Json] = []
    if _address(settings, _map(settings.proxy_config, "envoyMetricsService")):
        target = {"envoy_grpc": {"cluster_name": "envoy_metrics_service"}}
        config = {"@type": _METRICS, "transport_api_version": "V3", "grpc_service": target}
        found.append({"name": "envoy.stat_sinks.metrics_service", "typed_config": config})
    address = _split(str(settings.proxy_config.get("statsdUdpAddress") or ""))
    # A socket takes an address only; a name would keep Envoy from starting.
    if address and _is_address(address[0]):
        socket = {"protocol": "UDP", "address": address[0], "port_value": address[1]}
        statsd = {"@type": _STATSD, "address": {"socket_address": socket}}
        found.append({"name": "envoy.stat_sinks.statsd", "typed_config": statsd})
    return found


def _map(block: Json, field: str) -> Json:
    value = block.get(field)
    return value if isinstance(value, dict) else {}


def _address(settings: Settings, block: Json) -> tuple[str, int] | None:
    """``$(HOST_IP)`` stands for the machine's address (row MC-09)."""
    return _split(str(block.get("address") or "").replace("$(HOST_IP)", settings.host_ip))


def _split(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdigit() and 0 < int(port) < 65536 else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _cluster(name: str, address: tuple[str, int], tls: Json, *, http2: bool) -> Json:
    host, port = address
    socket = {"socket_address": {"address": host, "port_value": port}}
    cluster: Json = {
        "name": name,
        "alt_stat_name": f"{name};",
        "type": "STATIC" if _is_address(host) else "STRICT_DNS",
        "respect_dns_ttl": True,
        "dns_refresh_rate": "30s",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket}}]}],
        },
    }
    if http2:
        protocol: Json = {"explicit_http_config": {"http2_protocol_options": {}}}
        cluster["typed_extension_protocol_options"] = {
            _HTTP_OPTIONS.rpartition("/")[2]: {"@type": _HTTP_OPTIONS, **protocol}
        }
    if tls.get("mode", "DISABLE") != "DISABLE":
        cluster["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": _tls(host, tls)}
    return cluster


def _tls(host: str, tls: Json) -> Json:
    """SIMPLE, and MUTUAL with files; ISTIO_MUTUAL is not offered here, because these addresses lie outside the mesh."""
    common: Json = {"tls_params": {"tls_minimum_protocol_version": "TLSv1_2"}}
    if tls.get("clientCertificate"):
        files = {
            "certificate_chain": {"filename": tls["clientCertificate"]},
            "private_key": {"filename": tls.get("privateKey", "")},
        }
        common["tls_certificates"] = [files]
    names = [{"san_type": "DNS", "matcher": {"exact": name}} for name in tls.get("subjectAltNames") or []]
    if roots := tls.get("caCertificates"):
        common["validation_context"] = {"trusted_ca": {"filename": roots}, "match_typed_subject_alt_names": names}
    return {"@type": _TLS, "sni": tls.get("sni") or ("" if _is_address(host) else host), "common_tls_context": common}
