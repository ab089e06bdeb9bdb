"""Who this proxy is: Envoy's node and the environment that its formatters read."""

from __future__ import annotations

import json
from typing import Any

from mizzen import VERSION
from mizzen.agent.settings import Settings

CANONICAL_NAME, CANONICAL_REVISION = "service.istio.io/canonical-name", "service.istio.io/canonical-revision"


def node(settings: Settings) -> dict[str, Any]:
    """Envoy's ``node`` (row AG-01)."""
    return {"id": settings.node_id, "cluster": service_cluster(settings), "metadata": metadata(settings)}


def metadata(settings: Settings) -> dict[str, Any]:
    """Node metadata: what is fixed, then whatever ``ISTIO_META_*`` adds."""
    labels = {name: value for name, value in settings.labels.items() if name != "pod-template-hash"}
    found: dict[str, Any] = {
        "NAME": settings.pod_name,
        "NAMESPACE": settings.namespace,
        "SERVICE_ACCOUNT": settings.service_account,
        "CLUSTER_ID": settings.cluster_id,
        "INSTANCE_IPS": settings.instance_ip,
        "ISTIO_VERSION": VERSION,
        "PROXY_CONFIG": settings.proxy_config,
        "PILOT_SAN": [settings.discovery[0]],
        "ENVOY_STATUS_PORT": settings.envoy_status_port,
        "ENVOY_PROMETHEUS_PORT": settings.envoy_prometheus_port,
        "LABELS": labels,
        "ANNOTATIONS": dict(settings.annotations),
    }
    if settings.outlier_log_path:
        found["OUTLIER_LOG_PATH"] = settings.outlier_log_path
    if settings.exit_on_zero_connections:
        found["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"] = "true"
    if settings.unprivileged:
        found["UNPRIVILEGED_POD"] = "true"
    found |= settings.node_metadata
    if settings.wasm is not None:
        # Also says that this agent fetches modules: the control plane tells its reports from those of earlier lives.
        found["MIZZEN_BOOT"] = settings.wasm.boot
    ports = found.get("POD_PORTS")
    if isinstance(ports, str):
        # Text as injection wrote it, in one line; readers parse it.
        found["POD_PORTS"] = json.dumps(json.loads(ports), separators=(",", ":")) if ports.strip() else "[]"
    return found


def environment(settings: Settings) -> dict[str, str]:
    """``%ENVIRONMENT(X)%`` of metric tags and headers: what differs per proxy never is in a shared resource."""
    labels, workload = settings.labels, settings.workload_name or settings.pod_name
    return {
        "MIZZEN_WORKLOAD_NAME": workload,
        "MIZZEN_NAMESPACE": settings.namespace,
        "MIZZEN_CANONICAL_NAME": labels.get(CANONICAL_NAME)
        or labels.get("app.kubernetes.io/name")
        or labels.get("app")
        or workload,
        "MIZZEN_CANONICAL_REVISION": labels.get(CANONICAL_REVISION) or labels.get("version") or "latest",
        "MIZZEN_APP": labels.get("app", ""),
        "MIZZEN_VERSION_LABEL": labels.get("version", ""),
        # What peers are told; one's own metrics read the two above only (row ME-12).
        "MIZZEN_PEER_APP": labels.get("app.kubernetes.io/name") or labels.get("app", ""),
        "MIZZEN_PEER_VERSION": labels.get("app.kubernetes.io/version") or labels.get("version", ""),
        "MIZZEN_CLUSTER_ID": settings.cluster_id,
        "MIZZEN_SERVICE_ACCOUNT": settings.service_account,
        "MIZZEN_TRUST_DOMAIN": settings.trust_domain,
        "MIZZEN_POD_NAME": settings.pod_name,
        "MIZZEN_INSTANCE_IP": settings.instance_ip,
        **_tracer_environment(settings),
    }


def _tracer_environment(settings: Settings) -> dict[str, str]:
    """What Datadog's and OpenTelemetry's tracers call this proxy (rows TR-03, TR-04); the user's own values stay."""
    name = service_cluster(settings)
    attributes = settings.trace_attributes
    if not any(part.strip().startswith("service.name=") for part in attributes.split(",")):
        attributes = f"service.name={name}" + (f",{attributes}" if attributes else "")
    return {"DD_SERVICE": settings.trace_service or name, "OTEL_RESOURCE_ATTRIBUTES": attributes}


def service_cluster(settings: Settings) -> str:
    """Envoy's ``--service-cluster``: the name of this proxy in traces, ``<app>.<namespace>`` unless configured (PC-12)."""
    config, labels = settings.proxy_config, settings.labels
    if configured := config.get("serviceCluster"):
        return str(configured)
    workload = settings.workload_name or "istio-proxy"
    canonical = labels.get(CANONICAL_NAME) or workload
    match config.get("tracingServiceName"):
        case "CANONICAL_NAME_ONLY":
            return canonical
        case "CANONICAL_NAME_AND_NAMESPACE":
            return f"{canonical}.{settings.namespace}"
        case _:
            return f"{labels.get('app') or workload}.{settings.namespace}"
