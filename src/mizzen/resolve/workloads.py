"""Pods and WorkloadEntries become Workloads (rows IP-06, IP-08, LO-01, OL-19)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from mizzen.api.kubernetes import Pod
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.service_entry import WorkloadEntry, WorkloadEntryStatus
from mizzen.model import locality
from mizzen.model.config import ObjectKey
from mizzen.model.identity import Identity
from mizzen.model.protocol import Protocol
from mizzen.model.service import Locality, Port, Workload
from mizzen.resolve.registration import CHECKED

_CRON_JOB = re.compile(r"^(.+)-\d{8,10}$")
_TLS_MODE = "security.istio.io/tlsMode"


def workloads(
    pods: Mapping[ObjectKey, Object],
    entries: Mapping[ObjectKey, Object],
    nodes: Mapping[ObjectKey, Object],
    mesh: MeshConfig,
) -> dict[str, Workload]:
    """Every running workload with an address of its own, by that address."""
    localities = {name: locality.of_machine(node.meta.labels) for (_, name), node in nodes.items()}
    found: dict[str, Workload] = {}
    for key in sorted(pods):
        workload = _of_pod(pods[key], localities, mesh)
        if workload is not None:
            found[workload.address] = workload
    for key in sorted(entries):
        obj = entries[key]
        found.setdefault(obj.body.address, of_object(obj, mesh))
    found.pop("", None)
    return found


def workload_name(meta: ObjectMeta) -> str:
    """The name of what owns a pod: its Deployment, Argo Rollout, CronJob, … else the pod itself (row IP-08)."""
    owner = next((ref for ref in meta.owner_references if ref.controller), None)
    if owner is None or not meta.generate_name:
        return meta.name
    if owner.kind == "ReplicaSet":
        for label in ("pod-template-hash", "rollouts-pod-template-hash"):
            template = meta.labels.get(label)
            if template and owner.name.endswith("-" + template):
                return owner.name.removesuffix("-" + template)
    if owner.kind == "ReplicationController" and meta.labels.get("deploymentconfig"):
        return meta.labels["deploymentconfig"]
    if owner.kind == "Job" and (cron := _CRON_JOB.match(owner.name)):
        return cron[1]
    return owner.name


def canonical(labels: Mapping[str, str], fallback: str) -> tuple[str, str]:
    """Canonical service name and revision of a workload with these labels (row IP-06)."""
    return (
        _first(labels, ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app"), fallback),
        _first(labels, ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version"), "latest"),
    )


def of_object(obj: Object, mesh: MeshConfig) -> Workload:
    """A WorkloadEntry. One whose health is checked is ready only while it is known to be healthy (row WE-08)."""
    found = of_entry(obj.body, obj.namespace, mesh, obj.meta)
    checked = obj.meta.annotations.get(CHECKED) == "true"
    healthy = isinstance(obj.status, WorkloadEntryStatus) and obj.status.healthy
    return replace(found, ready=False) if checked and not healthy else found


def of_entry(entry: WorkloadEntry, namespace: str, mesh: MeshConfig, meta: ObjectMeta | None = None) -> Workload:
    """A WorkloadEntry, or an endpoint of a ServiceEntry, which has the same form and no metadata (row SE-10)."""
    labels = {**(meta.labels if meta else {}), **entry.labels}
    name = meta.name if meta else entry.address
    canonical_name, revision = canonical(labels, name)
    account = entry.service_account
    return Workload(
        name=name,
        namespace=namespace,
        address=entry.address,
        labels=labels,
        identity=Identity(mesh.trust_domain, namespace, account) if account else None,
        locality=locality.parse(entry.locality) if entry.locality else locality.of_labels(labels) or Locality(),
        network=entry.network,
        workload_name=name,
        canonical_name=canonical_name,
        canonical_revision=revision,
        # Row WE-05: an entry with an account is taken to have a sidecar.
        tls_mode=labels.get(_TLS_MODE, "istio" if account else "disabled"),
    )


def _of_pod(obj: Object, localities: Mapping[str, Locality], mesh: MeshConfig) -> Workload | None:
    pod: Pod = obj.body
    if not pod.status.pod_ip or pod.spec.host_network or pod.status.phase in ("Succeeded", "Failed"):
        return None
    labels = obj.meta.labels
    owner = workload_name(obj.meta)
    canonical_name, revision = canonical(labels, owner)
    return Workload(
        name=obj.name,
        namespace=obj.namespace,
        address=pod.status.pod_ip,
        labels=labels,
        identity=Identity(mesh.trust_domain, obj.namespace, pod.spec.service_account_name or "default"),
        locality=locality.of_labels(labels) or localities.get(pod.spec.node_name, Locality()),
        network=labels.get(locality.NETWORK, ""),
        node_name=pod.spec.node_name,
        workload_name=labels.get("service.istio.io/workload-name", owner),
        canonical_name=canonical_name,
        canonical_revision=revision,
        tls_mode=labels.get(_TLS_MODE, "disabled"),
        ready=pod.status.ready,
        ports=tuple(
            Port(p.name, p.container_port, Protocol.UDP if p.protocol == "UDP" else Protocol.UNSUPPORTED)
            for c in pod.spec.containers
            for p in c.ports
        ),
        uid=obj.meta.uid,
        hostname=pod.spec.hostname,
        subdomain=pod.spec.subdomain,
    )


def _first(labels: Mapping[str, str], keys: Iterable[str], fallback: str) -> str:
    return next((labels[key] for key in keys if labels.get(key)), fallback)
