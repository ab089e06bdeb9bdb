"""What the lab would make of documents, without running anything. Pure: the same documents give the same objects."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from mizzen.api.decode import decode
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.inject import InjectNamespace, InjectSettings, inject
from mizzen.lab import services, workloads
from mizzen.lab.store import CLUSTER_WIDE

Raw = workloads.Raw
NODE = "node"
FIRST_ADDRESS = IPv4Address("10.255.0.1")
SERVICES = IPv4Network("10.96.0.0/16")
_CREATED = "1970-01-01T00:00:00.000000Z"


def expand(documents: Sequence[Raw], mesh: MeshConfig) -> list[Raw]:
    """The documents, then ReplicaSets, injected ready Pods (``<workload>-0``, addresses from 10.255.0.1 in the order of
    names) and EndpointSlices; services have addresses. Documents without a name are passed on as they are."""
    named = [raw for raw in documents if isinstance(raw.get("metadata"), dict) and raw["metadata"].get("name")]
    labels = {
        raw["metadata"]["name"]: raw["metadata"].get("labels") or {} for raw in named if raw.get("kind") == "Namespace"
    }
    own = [_placed(raw) for raw in named if raw.get("kind") == "Pod"]
    sets = [
        _identified(workloads.replica_set(_identified(_placed(raw))))
        for raw in named
        if raw.get("kind") == "Deployment" and workloads.template(raw)
    ]
    made = [pod for raw in named for pod in _pods(_identified(_placed(raw)))]
    settings = InjectSettings(mesh=mesh, proxy_configs=_proxy_configs(named))
    pods = _running([*(workloads.with_defaults(copy.deepcopy(pod)) for pod in own), *made], labels, settings)
    addressed = _addressed([raw for raw in named if raw.get("kind") == "Service"])
    slices = [item for raw in addressed.values() for item in services.endpoint_slices(_placed(raw), pods, NODE)]
    kept = [addressed.get(id(raw), raw) for raw in documents if raw.get("kind") != "Pod" or raw not in named]
    return [*kept, *sets, *pods, *slices]


def _placed(raw: Raw) -> Raw:
    if raw["kind"] in CLUSTER_WIDE or raw["metadata"].get("namespace"):
        return raw
    return {**raw, "metadata": {**raw["metadata"], "namespace": "default"}}


def _identified(raw: Raw) -> Raw:
    meta = raw["metadata"]
    uid = workloads.short_hash([raw.get("kind"), meta.get("namespace"), meta["name"]], 20)
    return {**raw, "metadata": {"creationTimestamp": _CREATED, **meta, "uid": meta.get("uid") or uid}}


def _pods(workload: Raw) -> list[Raw]:
    kind, name = workload["kind"], workload["metadata"]["name"]
    if kind not in workloads.TEMPLATED or not workloads.template(workload):
        return []
    source = workload
    if kind == "Deployment":
        source = _identified(workloads.replica_set(workload))
    return [
        workloads.pod(source, f"{name}-{index}", kind != "StatefulSet") for index in range(workloads.replicas(workload))
    ]


def _proxy_configs(documents: Sequence[Raw]) -> tuple[Object, ...]:
    decoded = (decode(raw).object for raw in documents if raw.get("kind") == "ProxyConfig")
    return tuple(obj for obj in decoded if obj is not None)


def _running(pods: list[Raw], namespaces: dict[str, dict[str, str]], settings: InjectSettings) -> list[Raw]:
    found = []
    for index, pod in enumerate(sorted(pods, key=lambda p: (p["metadata"]["name"], p["metadata"]["namespace"]))):
        pod = _identified(pod)
        namespace, address = pod["metadata"]["namespace"], str(FIRST_ADDRESS + index)
        pod["spec"].setdefault("nodeName", NODE)
        done = inject(pod, InjectNamespace(namespace, namespaces.get(namespace, {})), settings).pod
        conditions = [{"type": name, "status": "True"} for name in ("Initialized", "ContainersReady", "Ready")]
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
        found.append({**done, "status": status})
    return found


def _addressed(every: list[Raw]) -> dict[int, Raw]:
    """Services with an address, by the identity of the document."""
    given = services.assign([_placed(raw) for raw in every], SERVICES)
    found = {}
    for raw in every:
        placed = _placed(raw)
        address = given.get((placed["metadata"]["namespace"], placed["metadata"]["name"]))
        spec = raw.get("spec") or {}
        found[id(raw)] = {**placed, "spec": {**spec, "clusterIP": address, "clusterIPs": [address]}} if address else raw
    return found
