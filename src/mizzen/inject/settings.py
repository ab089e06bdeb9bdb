"""What an administrator may choose about injection; the names of Istio's chart values are in the comments."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from mizzen import VERSION
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object

IGNORED_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
"""Namespaces in which no pod is ever injected (row IJ-07)."""

DEFAULT_RESOURCES: dict[str, dict[str, str | None]] = {
    "limits": {"cpu": "2000m", "memory": "1024Mi"},
    "requests": {"cpu": "100m", "memory": "128Mi"},
}
"""Requests and limits of the proxy, and of the capture container (row IP-02)."""


class InjectNamespace(Struct, frozen=True):
    """The namespace that a pod is created in; only its labels decide anything."""

    name: str = "default"
    labels: dict[str, str] = {}


class ProxySettings(Struct, frozen=True, kw_only=True):
    """The values below ``global.proxy``. Seconds are whole; ``None`` leaves the template's own value."""

    image: str = f"mizzen/proxyv2:{VERSION}"
    init_image: str = ""
    resources: dict[str, dict[str, str | None]] = field(default_factory=lambda: DEFAULT_RESOURCES)
    log_level: str = "warning"
    component_log_level: str = "misc:error"
    agent_log_level: str = "default:info"
    status_port: int = 15020
    readiness_initial_delay: int = 0
    readiness_period: int = 15
    readiness_failures: int = 4
    startup_probe: bool = True
    startup_failures: int = 600
    include_ip_ranges: str = "*"
    exclude_ip_ranges: str = ""
    include_inbound_ports: str = "*"
    exclude_inbound_ports: str = ""
    include_outbound_ports: str = ""
    exclude_outbound_ports: str = ""
    exclude_interfaces: str = ""
    hold_application: bool = False
    lifecycle: dict[str, Any] | None = None
    image_pull_policy: str = ""
    privileged: bool = False
    log_as_json: bool = False
    force_apply_iptables: bool = False
    native_nftables: bool = False
    outlier_log_path: str = ""
    sts_port: int = 0
    seccomp_profile: dict[str, Any] | None = None


class InjectSettings(Struct, frozen=True, kw_only=True):
    """Everything that injection depends on beside the pod and its namespace. ``proxy_configs``: objects of that kind.

    ``tags`` are further names that this revision answers to (rows IJ-02, IT-07). ``native_sidecars`` puts the proxy
    among the init containers with ``restartPolicy: Always`` (row IP-11); the lab keeps the classic order.
    ``environment`` takes the place of variables of the same names in the proxy's container, the user's own too (row IJ-06).
    """

    mesh: MeshConfig = MeshConfig()
    proxy_configs: tuple[Object, ...] = ()
    revision: str = "default"
    tags: tuple[str, ...] = ()
    policy: str = "enabled"
    namespaces_by_default: bool = False
    always_inject: tuple[dict[str, Any], ...] = ()
    never_inject: tuple[dict[str, Any], ...] = ()
    default_templates: tuple[str, ...] = ("sidecar",)
    cluster_id: str = "Kubernetes"
    network: str = ""
    domain: str = "cluster.local"
    istio_namespace: str = "istio-system"
    mesh_id: str = ""
    ca_address: str = ""
    native_sidecars: bool = False
    rewrite_probes: bool = True
    cni: bool = False
    mount_mtls_certs: bool = False
    image_pull_secrets: tuple[str, ...] = ()
    gateway_security_context: dict[str, Any] | None = None
    compliance_policy: str = ""
    environment: dict[str, str] = {}
    proxy: ProxySettings = ProxySettings()

    @property
    def discovery_host(self) -> str:
        """``istiod.istio-system.svc``, with the revision in it unless that is the default."""
        suffix = "" if self.revision == "default" else f"-{self.revision}"
        return f"istiod{suffix}.{self.istio_namespace}.svc"
