"""The proxy of an expanded pod: what its Envoy would tell the control plane, read from the injected pod. Pure."""

from __future__ import annotations

from mizzen.lab.workloads import Raw
from mizzen.model.locality import of_labels
from mizzen.model.proxy import PROXY_FLAGS, Proxy, ProxyType
from mizzen.model.service import Locality

_PREFIX = "ISTIO_META_"


def proxy_of(pod: Raw, locality: Locality | None = None) -> Proxy:
    """The proxy of ``pod``, a pod with a container ``istio-proxy``. ``locality`` is that of its node."""
    meta, spec = pod["metadata"], pod["spec"]
    namespace = str(meta.get("namespace") or "default")
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    sidecar: Raw = next((c for c in containers if c.get("name") == "istio-proxy"), {})
    values = {str(item.get("name")): str(item.get("value") or "") for item in sidecar.get("env") or []}
    facts = {name.removeprefix(_PREFIX): value for name, value in values.items() if name.startswith(_PREFIX)}
    kind = ProxyType.ROUTER if "router" in (sidecar.get("args") or []) else ProxyType.SIDECAR
    address = str((pod.get("status") or {}).get("podIP") or "")
    ports = {int(p["containerPort"]) for c in spec.get("containers") or [] for p in c.get("ports") or []}
    return Proxy(
        id=f"{kind}~{address}~{meta['name']}.{namespace}~{namespace}.svc.cluster.local",
        type=kind,
        address=address,
        name=str(meta["name"]),
        namespace=namespace,
        labels=dict(meta.get("labels") or {}),
        service_account=str(spec.get("serviceAccountName") or "default"),
        cluster_id=facts.get("CLUSTER_ID") or "Kubernetes",
        network=facts.get("NETWORK", ""),
        locality=of_labels(meta.get("labels") or {}) or locality or Locality(),
        node_name=str(spec.get("nodeName") or ""),
        workload_name=facts.get("WORKLOAD_NAME", ""),
        pod_ports=tuple(sorted(ports)),
        flags={name: facts[name] for name in PROXY_FLAGS if name in facts},
    )
