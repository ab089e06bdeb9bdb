"""What the templates read: one pod's names, labels, annotations and configuration, worked out once."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from mizzen.inject.merge import Json
from mizzen.inject.owner import Owner
from mizzen.inject.settings import InjectSettings
from mizzen.model.annotations import BOOLEANS, SIDECAR, STATUS_PORT, TRAFFIC
from mizzen.model.quantity import canonical

PROXY, INIT, VALIDATION = "istio-proxy", "istio-init", "istio-validation"
NETWORK = "topology.istio.io/network"
CANONICAL_NAME, CANONICAL_REVISION = "service.istio.io/canonical-name", "service.istio.io/canonical-revision"


class Facts(Struct, frozen=True, kw_only=True):
    """``config`` is the pod's ProxyConfig as JSON without defaults; ``user_proxy`` the user's own istio-proxy container."""

    pod: Json
    namespace: str
    owner: Owner
    settings: InjectSettings
    config: Json
    user_proxy: Json = {}

    @property
    def metadata(self) -> Json:
        return self.pod.get("metadata") or {}

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.get("labels") or {}

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.get("annotations") or {}

    @property
    def app_containers(self) -> list[Json]:
        return [c for c in (self.pod.get("spec") or {}).get("containers") or [] if c.get("name") != PROXY]

    @property
    def status_port(self) -> int:
        """The agent's port; 0 when the pod wants no probes of its proxy."""
        text = self.annotations.get(STATUS_PORT)
        return int(text) if text is not None else int(self.config.get("statusPort", self.settings.proxy.status_port))

    @property
    def metrics_port(self) -> int:
        """Where Prometheus is sent: ProxyConfig's port, whatever the pod's annotation about probes says."""
        return int(self.config.get("statusPort", 15020))

    @property
    def native(self) -> bool:
        text = self.annotations.get(SIDECAR + "nativeSidecar")
        return BOOLEANS[text] if text is not None else self.settings.native_sidecars

    @property
    def hold(self) -> bool:
        wanted = self.config.get("holdApplicationUntilProxyStarts")
        return self.settings.proxy.hold_application if wanted is None else bool(wanted)

    @property
    def interception(self) -> str:
        return self.annotations.get(SIDECAR + "interceptionMode") or self.config.get("interceptionMode") or "REDIRECT"

    @property
    def network(self) -> str:
        return self.labels.get(NETWORK) or self.settings.network

    @property
    def metadata_env(self) -> dict[str, str]:
        return self.config.get("proxyMetadata") or {}

    @property
    def proxy_uid(self) -> int:
        """The uid whose traffic is not captured: 1337, or what the user's own container runs as (row IP-09)."""
        return _own_id(self.user_proxy, "runAsUser")

    @property
    def proxy_gid(self) -> int:
        return _own_id(self.user_proxy, "runAsGroup")

    def sidecar(self, name: str, default: str) -> str:
        """The annotation ``sidecar.istio.io/<name>``."""
        return self.annotations.get(SIDECAR + name) or default

    def traffic(self, name: str, default: str) -> str:
        """The annotation ``traffic.sidecar.istio.io/<name>``; an empty text counts."""
        return self.annotations.get(TRAFFIC + name, default)

    def canonical_name(self) -> str:
        for label in (CANONICAL_NAME, "app.kubernetes.io/name", "app"):
            if self.labels.get(label):
                return _cut(self.labels[label])
        return _cut(self.owner.name)

    def canonical_revision(self) -> str:
        for label in (CANONICAL_REVISION, "app.kubernetes.io/version", "version"):
            if self.labels.get(label):
                return self.labels[label]
        return "latest"

    def resources(self) -> Json:
        """Of the proxy: the annotated ones alone, if there is any, else the defaults (row AN-02)."""
        names = {"proxyCPU": ("requests", "cpu"), "proxyMemory": ("requests", "memory")}
        names |= {"proxyCPULimit": ("limits", "cpu"), "proxyMemoryLimit": ("limits", "memory")}
        annotated: dict[str, dict[str, str]] = {}
        for name, (group, resource) in names.items():
            if text := self.annotations.get(SIDECAR + name):
                annotated.setdefault(group, {})[resource] = canonical(text)
        if annotated:
            return dict(annotated)
        found = {}
        for group, values in self.settings.proxy.resources.items():
            if kept := {name: canonical(text) for name, text in values.items() if text is not None}:
                found[group] = kept
        return found


def _own_id(container: Json, name: str) -> int:
    value: Any = (container.get("securityContext") or {}).get(name)
    return value if isinstance(value, int) and value != 0 else 1337


def _cut(name: str) -> str:
    return name[:63].rstrip("-_.")
