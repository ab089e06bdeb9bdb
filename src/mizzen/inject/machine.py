"""The files that let a machine join the mesh: what injection writes into a pod, for a WorkloadGroup (rows VM-01, VM-06)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.api.service_entry import ReadinessProbe, WorkloadEntry, WorkloadGroup
from mizzen.inject.facts import CANONICAL_NAME, CANONICAL_REVISION
from mizzen.inject.proxy_config import ANNOTATION, effective
from mizzen.inject.settings import InjectSettings

Json = dict[str, Any]
_EMPTY: tuple[Any, ...] = (None, "", 0, [], (), {})
_STATUS_PORT = 15020
_ALWAYS_OPEN = (22, 15090, 15021)
"""Never captured: a mistake in the mesh must not lock people out of the machine."""


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """What the person at the terminal chose; empty texts are not chosen."""

    cluster_id: str = "Kubernetes"
    revision: str = ""
    namespace: str = "istio-system"
    """That of the control plane."""
    ingress_ip: str = ""
    internal_ip: str = ""
    external_ip: str = ""
    register: bool = False
    capture_dns: bool = True


@dataclass(frozen=True)
class MachineFiles:
    """``mesh`` is the document of mesh.yaml; the other two are texts."""

    cluster_env: str
    mesh: Json
    hosts: str


def machine_files(group: Object, mesh: MeshConfig, options: MachineOptions) -> MachineFiles:
    """All but the token and the roots. Raises ValueError when the ``proxy.istio.io/config`` of the group is none."""
    spec: WorkloadGroup = group.body
    template = spec.template or WorkloadEntry()
    config = _config(group, spec, mesh)
    if _revised(options) and not config.get("discoveryAddress"):
        config["discoveryAddress"] = _address(options)
    probe = _probe(spec.probe) if spec.probe is not None else None
    # The group's probe alone counts: that of a pod in the mesh config is about pods.
    config.pop("readinessProbe", None)
    if probe:
        config["readinessProbe"] = probe
    metadata = {**config.get("proxyMetadata", {}), **_metadata(group, template, mesh, config, options)}
    config["proxyMetadata"] = dict(sorted(metadata.items()))
    env = {**metadata, **_environment(group, template, config, options)}
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(env.items()))
    hosts = f"{options.ingress_ip} {_host(options)}\n" if options.ingress_ip else ""
    return MachineFiles(text, {"defaultConfig": config}, hosts)


def account_of(group: Object) -> str:
    """The service account that its workloads have."""
    spec: WorkloadGroup = group.body
    return (spec.template.service_account if spec.template else "") or "default"


def _config(group: Object, spec: WorkloadGroup, mesh: MeshConfig) -> Json:
    """The mesh's defaults, over them the annotation of the group, over that the one of its entries."""
    below, _ = effective(mesh.default_config, group.meta.annotations.get(ANNOTATION))
    own = (spec.metadata.annotations if spec.metadata else {}).get(ANNOTATION)
    return effective(mesh.default_config, own, wide=below)[0]


def _probe(probe: ReadinessProbe) -> Json:
    found: Json = msgspec.to_builtins(probe, enc_hook=str)
    return {key: kept for key, value in found.items() if (kept := _compact(value)) not in _EMPTY}


def _compact(value: Any) -> Any:
    """Without what is empty: the agent has the defaults."""
    if isinstance(value, dict):
        return {key: _compact(item) for key, item in value.items() if item not in _EMPTY}
    return [_compact(item) for item in value] if isinstance(value, (list, tuple)) else value


def _labels(group: Object, template: WorkloadEntry) -> dict[str, str]:
    spec: WorkloadGroup = group.body
    labels = {**(spec.metadata.labels if spec.metadata else {}), **template.labels}
    name = _first(labels, (CANONICAL_NAME, "app.kubernetes.io/name", "app"), group.name)
    revision = _first(labels, (CANONICAL_REVISION, "app.kubernetes.io/version", "version"), "latest")
    return {**labels, CANONICAL_NAME: name, CANONICAL_REVISION: revision}


def _first(labels: Mapping[str, str], names: tuple[str, ...], fallback: str) -> str:
    return next((labels[name] for name in names if labels.get(name)), fallback)


def _metadata(
    group: Object, template: WorkloadEntry, mesh: MeshConfig, config: Json, options: MachineOptions
) -> dict[str, str]:
    labels = _labels(group, template)
    found = {
        "CANONICAL_SERVICE": labels[CANONICAL_NAME],
        "CANONICAL_REVISION": labels[CANONICAL_REVISION],
        "POD_NAMESPACE": group.namespace,
        "SERVICE_ACCOUNT": account_of(group),
        "TRUST_DOMAIN": mesh.trust_domain,
        "ISTIO_META_CLUSTER_ID": options.cluster_id,
        "ISTIO_META_MESH_ID": str(config.get("meshId") or mesh.mesh_id or mesh.trust_domain),
        "ISTIO_META_NETWORK": template.network,
        "ISTIO_META_WORKLOAD_NAME": group.name,
        "ISTIO_METAJSON_LABELS": _json(labels),
    }
    if template.ports:
        ports = [{"name": name, "containerPort": number} for name, number in sorted(template.ports.items())]
        found["ISTIO_META_POD_PORTS"] = _json(ports)
    if options.capture_dns:
        found["ISTIO_META_DNS_CAPTURE"] = "true"
    if options.register:
        found["ISTIO_META_AUTO_REGISTER_GROUP"] = group.name
    return found


def _environment(group: Object, template: WorkloadEntry, config: Json, options: MachineOptions) -> dict[str, str]:
    excluded = [*_ALWAYS_OPEN]
    status = int(config.get("statusPort") or _STATUS_PORT)
    excluded += [status] if status not in excluded else []
    found = {
        "ISTIO_INBOUND_PORTS": ",".join(str(number) for number in sorted(template.ports.values())) or "*",
        "ISTIO_NAMESPACE": group.namespace,
        "ISTIO_SERVICE": f"{group.name}.{group.namespace}",
        "ISTIO_SERVICE_CIDR": "*",
        "ISTIO_LOCAL_EXCLUDE_PORTS": ",".join(str(port) for port in excluded),
        "SERVICE_ACCOUNT": account_of(group),
    }
    if _revised(options):
        found["CA_ADDR"] = _address(options)
    if address := options.internal_ip or options.external_ip:
        found["ISTIO_SVC_IP"] = address
    if options.external_ip and not options.internal_ip:
        found["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION"] = "true"
    return found


def _revised(options: MachineOptions) -> bool:
    return options.revision not in ("", "default")


def _host(options: MachineOptions) -> str:
    revision = options.revision or "default"
    return InjectSettings(revision=revision, istio_namespace=options.namespace).discovery_host


def _address(options: MachineOptions) -> str:
    return f"{_host(options)}:15012"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
