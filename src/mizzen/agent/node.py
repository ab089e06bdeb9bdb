"""Who this proxy is: Envoy's node and the environment that its formatters read."""

from __future__ import annotations

import json
from typing import Any

from mizzen import VERSION
from mizzen.agent.settings import Settings

CANONICAL_NAME, CANONICAL_REVISION = "service.istio.io/canonical-name", "service.istio.io/canonical-revision"


def node(settings: Settings) -> dict[str, Any]:
    """Envoy's ``node`` (row AG-01)."""
    return {"id": settings.node_id, "cluster": _cluster(settings), "metadata": metadata(settings)}


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
    found |= settings.node_metadata
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
        "MIZZEN_CLUSTER_ID": settings.cluster_id,
        "MIZZEN_SERVICE_ACCOUNT": settings.service_account,
        "MIZZEN_TRUST_DOMAIN": settings.trust_domain,
        "MIZZEN_POD_NAME": settings.pod_name,
        "MIZZEN_INSTANCE_IP": settings.instance_ip,
    }


def _cluster(settings: Settings) -> str:
    if configured := settings.proxy_config.get("serviceCluster"):
        return str(configured)
    name = settings.labels.get("app") or settings.workload_name or "istio-proxy"
    return f"{name}.{settings.namespace}"
