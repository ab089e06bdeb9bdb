"""What the sidecar and the gateway template share: environment, volumes, mounts, probes (rows IP-03..06)."""

from __future__ import annotations

import json
from typing import Any

from mizzen.inject.facts import CANONICAL_NAME, CANONICAL_REVISION, NETWORK, Facts
from mizzen.inject.merge import Json
from mizzen.inject.proxy_config import encode
from mizzen.model.annotations import READINESS

_CONVENTIONS = "OTEL_SEMANTIC_CONVENTIONS"
_PORT_FIELDS = ("name", "hostPort", "containerPort", "protocol", "hostIP")


def environment(facts: Facts) -> list[Json]:
    """Of the proxy, in Istio's order (row IP-03)."""
    settings = facts.settings
    env = [
        _value("PILOT_CERT_PROVIDER", "istiod"),
        _value("CA_ADDR", settings.ca_address or f"{settings.discovery_host}:15012"),
        _field("POD_NAME", "metadata.name"),
        _field("POD_NAMESPACE", "metadata.namespace"),
        _field("INSTANCE_IP", "status.podIP"),
        _field("SERVICE_ACCOUNT", "spec.serviceAccountName"),
        _field("HOST_IP", "status.hostIP"),
        _resource("ISTIO_CPU_LIMIT", "limits.cpu"),
        _value("PROXY_CONFIG", encode(facts.config)),
        _value("ISTIO_META_POD_PORTS", pod_ports(facts)),
        _value("ISTIO_META_APP_CONTAINERS", ",".join(str(c.get("name", "")) for c in facts.app_containers)),
        _resource("GOMEMLIMIT", "limits.memory"),
        _value("ISTIO_META_CLUSTER_ID", settings.cluster_id),
        _field("ISTIO_META_NODE_NAME", "spec.nodeName"),
        _value("ISTIO_META_INTERCEPTION_MODE", facts.interception),
    ]
    if settings.compliance_policy:
        env.append(_value("COMPLIANCE_POLICY", settings.compliance_policy))
    if facts.network:
        env.append(_value("ISTIO_META_NETWORK", facts.network))
    env.append(
        _value("ISTIO_META_WORKLOAD_NAME", facts.labels.get("service.istio.io/workload-name") or facts.owner.name)
    )
    env.append(_value("ISTIO_META_OWNER", facts.owner.uri(facts.namespace)))
    if facts.sidecar("bootstrapOverride", ""):
        env.append(_value("ISTIO_BOOTSTRAP_OVERRIDE", "/etc/istio/custom-bootstrap/custom_bootstrap.json"))
    env.append(_value("ISTIO_META_MESH_ID", settings.mesh_id or settings.mesh.mesh_id or settings.mesh.trust_domain))
    env.append(_value("TRUST_DOMAIN", settings.mesh.trust_domain))
    if settings.mesh.inbound_traffic_policy.mode == "LOCALHOST":
        env.insert(0, _value("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "true"))
    env += _trace_environment(facts)
    return env + metadata_environment(facts)


def _trace_environment(facts: Facts) -> list[Json]:
    """What OpenTelemetry calls this workload, where a provider asks for its semantic conventions (rows MC-10, TR-03)."""
    blocks = [raw.get("opentelemetry") for raw in facts.settings.mesh.extension_providers]
    wanted = any(isinstance(b, dict) and b.get("serviceAttributeEnrichment") == _CONVENTIONS for b in blocks)
    if not wanted or "OTEL_RESOURCE_ATTRIBUTES" in facts.metadata_env:
        return []
    labels = facts.labels
    name = (
        facts.annotations.get("resource.opentelemetry.io/service.name")
        or labels.get("app.kubernetes.io/instance")
        or labels.get("app.kubernetes.io/name")
        or facts.owner.name
        or "unknown_service"
    )
    return [_value("OTEL_RESOURCE_ATTRIBUTES", f"service.name={name}")]


def metadata_environment(facts: Facts) -> list[Json]:
    """ProxyConfig's proxyMetadata as environment, in name order."""
    return [_value(name, value) for name, value in sorted(facts.metadata_env.items())]


def pod_ports(facts: Facts) -> str:
    """The container ports as the JSON text that Istio's template writes."""
    ports = [port for container in facts.app_containers for port in container.get("ports") or []]
    lines = [json.dumps({f: p[f] for f in _PORT_FIELDS if p.get(f)}, separators=(",", ":")) for p in ports]
    return "[\n" + "".join(f"    {',' if at else ''}{line}\n" for at, line in enumerate(lines)) + "]"


def volumes(facts: Facts) -> list[Json]:
    """Every volume that the proxy needs (row IP-05)."""
    items = [{"path": name, "fieldRef": {"fieldPath": f"metadata.{name}"}} for name in ("labels", "annotations")]
    token = {"path": "istio-token", "expirationSeconds": 43200, "audience": "istio-ca"}
    found: list[Json] = [
        {"name": "workload-socket", "emptyDir": {}},
        {"name": "credential-socket", "emptyDir": {}},
        {"name": "workload-certs", "emptyDir": {}},
        {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}},
        {"name": "istio-data", "emptyDir": {}},
        {"name": "istio-podinfo", "downwardAPI": {"items": items}},
        {"name": "istio-token", "projected": {"sources": [{"serviceAccountToken": token}]}},
        {"name": "istiod-ca-cert", "configMap": {"name": "istio-ca-root-cert"}},
        {"name": "istio-ca-crl", "configMap": {"name": "istio-ca-crl", "optional": True}},
    ]
    if facts.settings.mount_mtls_certs:
        account = (facts.pod.get("spec") or {}).get("serviceAccountName") or "default"
        found.append({"name": "istio-certs", "secret": {"optional": True, "secretName": f"istio.{account}"}})
    if override := facts.sidecar("bootstrapOverride", ""):
        found.append({"name": "custom-bootstrap-volume", "configMap": {"name": override}})
    for name, source in _user_map(facts, "userVolume"):
        found.append({"name": name, **source})
    return found


def mounts(facts: Facts) -> list[Json]:
    """Where the proxy sees them."""
    paths = {
        "workload-socket": "/var/run/secrets/workload-spiffe-uds",
        "credential-socket": "/var/run/secrets/credential-uds",
        "workload-certs": "/var/run/secrets/workload-spiffe-credentials",
        "istiod-ca-cert": "/var/run/secrets/istio",
        "istio-ca-crl": "/var/run/secrets/istio/crl",
        "istio-data": "/var/lib/istio/data",
        "istio-envoy": "/etc/istio/proxy",
        "istio-token": "/var/run/secrets/tokens",
        "istio-podinfo": "/etc/istio/pod",
    }
    if facts.sidecar("bootstrapOverride", ""):
        paths["custom-bootstrap-volume"] = "/etc/istio/custom-bootstrap"
    found: list[Json] = [{"name": name, "mountPath": path} for name, path in paths.items()]
    if facts.settings.mount_mtls_certs:
        found.append({"name": "istio-certs", "mountPath": "/etc/certs/", "readOnly": True})
    return found + [{"name": name, **mount} for name, mount in _user_map(facts, "userVolumeMount")]


def canonical_labels(facts: Facts) -> dict[str, str]:
    """Labels that both templates add (row IP-06)."""
    labels = {CANONICAL_NAME: facts.canonical_name(), CANONICAL_REVISION: facts.canonical_revision()}
    if facts.network:
        labels[NETWORK] = facts.network
    return labels


def log_arguments(facts: Facts) -> list[str]:
    """Log levels of proxy and agent (row AN-03)."""
    proxy = facts.settings.proxy
    args = [
        f"--proxyLogLevel={facts.sidecar('logLevel', proxy.log_level)}",
        f"--proxyComponentLogLevel={facts.sidecar('componentLogLevel', proxy.component_log_level)}",
        f"--log_output_level={facts.sidecar('agentLogLevel', proxy.agent_log_level)}",
    ]
    if proxy.sts_port:
        args.append(f"--stsPort={proxy.sts_port}")
    if proxy.log_as_json:
        args.append("--log_as_json")
    if proxy.outlier_log_path:
        args.append(f"--outlierLogPath={proxy.outlier_log_path}")
    return args


def readiness(facts: Facts) -> Json:
    """The proxy's readiness probe, through Envoy's 15021 (row IP-04)."""
    proxy, own = facts.settings.proxy, facts.config.get("readinessProbe") or {}
    probe: Json = {
        "httpGet": {"path": "/healthz/ready", "port": 15021},
        "timeoutSeconds": int(own.get("timeoutSeconds", 3)),
    }
    if delay := int(
        facts.annotations.get(
            READINESS + "initialDelaySeconds", own.get("initialDelaySeconds", proxy.readiness_initial_delay)
        )
    ):
        probe["initialDelaySeconds"] = delay
    probe["periodSeconds"] = int(
        facts.annotations.get(READINESS + "periodSeconds", own.get("periodSeconds", proxy.readiness_period))
    )
    probe["failureThreshold"] = int(
        facts.annotations.get(READINESS + "failureThreshold", own.get("failureThreshold", proxy.readiness_failures))
    )
    return probe


def image(facts: Facts) -> str:
    """The proxy's image: the annotation, else the setting; a type suffix unless it is ``default`` (row IP-16)."""
    name = facts.sidecar("proxyImage", facts.settings.proxy.image)
    kind = facts.sidecar("proxyImageType", (facts.config.get("image") or {}).get("imageType", ""))
    return name if kind in ("", "default") else f"{name}-{kind}"


def _user_map(facts: Facts, name: str) -> list[tuple[str, Json]]:
    text = facts.sidecar(name, "")
    return list(json.loads(text).items()) if text else []


def _value(name: str, value: Any) -> Json:
    return {"name": name, "value": str(value)}


def _field(name: str, path: str) -> Json:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _resource(name: str, resource: str) -> Json:
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": "1"}}}
