"""What the agent is told: its command line, the environment that injection wrote, and the pod's own labels."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizzen.agent.dns.resolv import listening
from mizzen.agent.external import socket_of
from mizzen.agent.material import key_kind, mounted
from mizzen.agent.wasm import settings as wasm_settings

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
_LABELS = "ISTIO_METAJSON_LABELS"
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Frozen for the life of the process. Paths are the pod's, unless ``MIZZEN_*`` variables move them."""

    role: str = "sidecar"
    domain: str = "default.svc.cluster.local"
    pod_name: str = "pod"
    namespace: str = "default"
    service_account: str = "default"
    instance_ip: str = "127.0.0.1"
    workload_name: str = ""
    trust_domain: str = "cluster.local"
    cluster_id: str = "Kubernetes"
    proxy_config: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    node_metadata: dict[str, Any] = field(default_factory=dict)
    config_path: Path = Path("/etc/istio/proxy")
    token_path: Path = Path("/var/run/secrets/tokens/istio-token")
    root_cert_path: Path = Path("/var/run/secrets/istio/root-cert.pem")
    enroll_url: str = ""
    envoy_binary: str = ""
    envoy_status_port: int = 15021
    envoy_prometheus_port: int = 15090
    cpu_limit: int = 0
    proxy_log_level: str = "warning"
    component_log_level: str = "misc:error"
    log_as_json: bool = False
    """Whether the lines of agent and Envoy are JSON (row AG-17)."""
    outlier_log_path: str = ""
    secret_ttl: float = 0.0
    key_kind: str = "P256"
    mounted_path: Path | None = None
    external_path: Path | None = None
    """A socket over which somebody else gives the certificate, such as SPIRE (row AG-15)."""
    proved_path: Path | None = None
    """Where a certificate may lie that proves who asks for the next one (row VM-05)."""
    output_path: Path | None = None
    """A directory that certificate, key and roots are written to as well (row CW-01)."""
    grace_ratio: float = 0.5
    grace_jitter: float = 0.01
    minimum_drain: float = 5.0
    exit_on_zero_connections: bool = False
    metrics_localhost_only: bool = False
    probe_localhost: bool = False
    app_probers: dict[str, Any] = field(default_factory=dict)
    prometheus: dict[str, str] = field(default_factory=dict)
    trace_service: str = ""
    unprivileged: bool = False
    """Whether Envoy may not listen on low ports."""
    trace_attributes: str = ""
    host_ip: str = ""
    bootstrap_override: str = ""
    """A file that is merged over the bootstrap; empty for none (row AN-05)."""
    dns_address: str = "localhost:15053"
    dns_timeout: float = 5.0
    dns_parallel: bool = False
    wasm: wasm_settings.WasmSettings | None = None
    """None: the modules of plugins are nothing that this agent fetches (row WP-15)."""

    @property
    def status_port(self) -> int:
        """Where the agent listens (row PO-06)."""
        return int(self.proxy_config.get("statusPort") or 15020)

    @property
    def admin_port(self) -> int:
        """Envoy's admin port, on loopback only (row PO-01)."""
        return int(self.proxy_config.get("proxyAdminPort") or 15000)

    @property
    def discovery(self) -> tuple[str, int]:
        """Host and port of the control plane's xDS."""
        address = str(self.proxy_config.get("discoveryAddress") or "istiod.istio-system.svc:15012")
        host, _, port = address.rpartition(":")
        return (host.strip("[]"), int(port)) if host and port.isdigit() else (address, 15012)

    @property
    def control_plane_url(self) -> str:
        """The agent's channel to the control plane: HTTPS, Service port 443."""
        return self.enroll_url or f"https://{self.discovery[0]}:443"

    @property
    def certificate_url(self) -> str:
        return self.control_plane_url + "/agent/v1/certificate"

    @property
    def dns_proxy(self) -> bool:
        """Whether the agent answers DNS: a sidecar whose pod's questions are captured, a gateway that is asked (row DN-01)."""
        switch = "ENABLE_DNS_SERVER" if self.role == "router" else "DNS_CAPTURE"
        return str(self.node_metadata.get(switch, "")).lower() == "true"

    @property
    def health_probe(self) -> dict[str, Any] | None:
        """The probe of the application; None for a workload that has no entry in which its health could be kept."""
        probe, known = self.proxy_config.get("readinessProbe"), ("AUTO_REGISTER_GROUP", "WORKLOAD_ENTRY")
        if not isinstance(probe, dict) or not probe or not any(self.node_metadata.get(name) for name in known):
            return None
        return probe

    @property
    def watch_path(self) -> Path:
        """The Unix socket on which Envoy passes on what the agent asks and reports."""
        return self.config_path / "watch.sock"

    @property
    def termination_drain(self) -> float:
        """Seconds between SIGTERM and the end of Envoy (row AG-06)."""
        return seconds(str(self.proxy_config.get("terminationDrainDuration") or ""), 5.0)

    @property
    def drain_time(self) -> int:
        """Envoy's ``--drain-time-s``."""
        return max(1, round(seconds(str(self.proxy_config.get("drainDuration") or ""), 45.0)))

    @property
    def concurrency(self) -> int:
        """Envoy's worker threads: as configured, else the CPU limit; 0 leaves it to Envoy, which takes all CPUs (PC-03)."""
        configured = self.proxy_config.get("concurrency")
        return int(configured) if configured is not None else self.cpu_limit

    @property
    def sds_path(self) -> Path:
        return self.config_path / "sds"

    @property
    def revoked_path(self) -> Path:
        """Lists of revoked certificates, where a CA has any (row CR-10)."""
        return self.root_cert_path.parent / "crl" / "ca-crl.pem"

    @property
    def node_id(self) -> str:
        """``sidecar~IP~pod.ns~ns.svc.domain`` (row AG-01)."""
        kind = "router" if self.role == "router" else "sidecar"
        return f"{kind}~{self.instance_ip}~{self.pod_name}.{self.namespace}~{self.domain}"


def from_environment(role: str, options: Mapping[str, str], env: Mapping[str, str]) -> Settings:
    """Read the settings. Raises ValueError with the variable's name when one cannot be read."""
    namespace = env.get("POD_NAMESPACE", "default")
    info = Path(env.get("MIZZEN_POD_INFO", "/etc/istio/pod"))
    workload = env.get("ISTIO_META_WORKLOAD_NAME", "")
    dns_address = env.get("DNS_PROXY_ADDR") or "localhost:15053"
    listening(dns_address, ())
    return Settings(
        role=role,
        domain=options.get("domain", "").replace("$(POD_NAMESPACE)", namespace) or f"{namespace}.svc.cluster.local",
        pod_name=env.get("POD_NAME", "pod"),
        namespace=namespace,
        service_account=env.get("SERVICE_ACCOUNT") or "default",
        instance_ip=env.get("INSTANCE_IP", "127.0.0.1").split(",")[0],
        workload_name=workload,
        trust_domain=env.get("TRUST_DOMAIN", "cluster.local"),
        cluster_id=env.get("ISTIO_META_CLUSTER_ID", "Kubernetes"),
        proxy_config=_object(env, "PROXY_CONFIG"),
        labels=downward(info / "labels") or _labels(env),
        annotations=downward(info / "annotations"),
        node_metadata=_node_metadata(env),
        config_path=Path(env.get("MIZZEN_CONFIG_PATH", "/etc/istio/proxy")),
        token_path=Path(env.get("MIZZEN_TOKEN_PATH", "/var/run/secrets/tokens/istio-token")),
        root_cert_path=Path(env.get("MIZZEN_ROOT_CERT", "/var/run/secrets/istio/root-cert.pem")),
        enroll_url=env.get("MIZZEN_ENROLL_URL", ""),
        envoy_binary=env.get("MIZZEN_ENVOY_BINARY", ""),
        envoy_status_port=_integer(env, "ENVOY_STATUS_PORT", 15021),
        envoy_prometheus_port=_integer(env, "ENVOY_PROMETHEUS_PORT", 15090),
        cpu_limit=_integer(env, "ISTIO_CPU_LIMIT", 0),
        proxy_log_level=options.get("proxyLogLevel") or "warning",
        component_log_level=options.get("proxyComponentLogLevel", "misc:error"),
        log_as_json=options.get("log_as_json", "false").lower() != "false",
        outlier_log_path=options.get("outlierLogPath", ""),
        key_kind=key_kind(env),
        mounted_path=mounted(env),
        external_path=socket_of(env),
        proved_path=_directory(env, "PROV_CERT"),
        output_path=_directory(env, "OUTPUT_CERTS"),
        secret_ttl=seconds(env.get("SECRET_TTL", ""), 0.0),
        grace_ratio=_number(env, "SECRET_GRACE_PERIOD_RATIO", 0.5),
        grace_jitter=_number(env, "SECRET_GRACE_PERIOD_RATIO_JITTER", 0.01),
        minimum_drain=seconds(env.get("MINIMUM_DRAIN_DURATION", ""), 5.0),
        exit_on_zero_connections=env.get("EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "").lower() == "true",
        metrics_localhost_only=env.get("METRICS_LOCALHOST_ACCESS_ONLY", "").lower() == "true",
        probe_localhost=env.get("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "").lower() == "true",
        app_probers=_object(env, "ISTIO_KUBE_APP_PROBERS"),
        prometheus=_object(env, "ISTIO_PROMETHEUS_ANNOTATIONS"),
        unprivileged=_unprivileged(),
        trace_service=env.get("DD_SERVICE", ""),
        trace_attributes=env.get("OTEL_RESOURCE_ATTRIBUTES", ""),
        host_ip=env.get("HOST_IP", ""),
        bootstrap_override=env.get("ISTIO_BOOTSTRAP_OVERRIDE", ""),
        dns_address=dns_address,
        dns_timeout=seconds(env.get("DNS_FORWARD_TIMEOUT", ""), 5.0),
        dns_parallel=env.get("DNS_FORWARD_PARALLEL", "").lower() == "true",
        wasm=wasm_settings.from_environment(env, seconds),
    )


def _unprivileged() -> bool:
    if os.geteuid() == 0:
        return False
    try:
        lowest = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="utf-8")
    except OSError:
        return True
    return int(lowest.strip() or 1024) > 1


def seconds(text: str, default: float) -> float:
    """A Go duration such as ``1h30m`` in seconds; ``default`` for an empty text. Raises ValueError."""
    if not text:
        return default
    if text != "0" and not re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        raise ValueError(f"{text!r} is not a duration such as 5s or 200ms")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def downward(path: Path) -> dict[str, str]:
    """A file of the downward API: lines of ``key="value"`` with escapes. A missing file is empty."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            try:
                found[key] = str(json.loads(value))
            except ValueError:
                found[key] = value.strip('"')
    return found


def _node_metadata(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in sorted(env):
        if name == _LABELS:
            continue
        if name.startswith("ISTIO_META_"):
            found[name.removeprefix("ISTIO_META_")] = env[name]
        elif name.startswith("ISTIO_METAJSON_"):
            found |= _object(env, name)
    return found


def _labels(env: Mapping[str, str]) -> dict[str, str]:
    """Those of a workload that has no pod to read them from (row VM-01)."""
    return {str(key): str(value) for key, value in _object(env, _LABELS).items()}


def _object(env: Mapping[str, str], name: str) -> dict[str, Any]:
    text = env.get(name, "").strip()
    try:
        value = json.loads(text) if text else {}
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    return value


def _directory(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None


def _integer(env: Mapping[str, str], name: str, default: int) -> int:
    return round(_number(env, name, default))


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        return float(text) if text else default
    except ValueError:
        raise ValueError(f"{name}={text!r} is not a number") from None
