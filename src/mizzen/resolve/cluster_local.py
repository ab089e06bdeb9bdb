"""Services that stay in their own cluster (rows MCL-04, MC-24)."""

from __future__ import annotations

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.hosts import covers, most_specific


class ClusterLocal:
    """By default those of ``kube-system``, the API server and the control plane; ``serviceSettings`` say more."""

    def __init__(self, mesh: MeshConfig, domain: str) -> None:
        discovery = mesh.default_config.discovery_address.rpartition(":")[0] or "istiod.istio-system.svc"
        usual = {f"*.kube-system.svc.{domain}", f"kubernetes.default.svc.{domain}", _full(discovery, domain)}
        told = {host: entry.settings.cluster_local for entry in mesh.service_settings for host in entry.hosts}
        crossing = [host for host, local in told.items() if not local]
        # A host that may cross takes the whole default away that it is, or lies under.
        kept = {pattern for pattern in usual if not any(covers(pattern, host) for host in crossing)}
        self._hosts = {**dict.fromkeys(sorted(kept), True), **told}

    def __contains__(self, hostname: object) -> bool:
        """Whether the service of this hostname stays in its cluster; the most specific pattern counts."""
        pattern = most_specific(self._hosts, str(hostname))
        return pattern is not None and self._hosts[pattern]


def _full(host: str, domain: str) -> str:
    return f"{host}.{domain}" if host.endswith(".svc") else host
