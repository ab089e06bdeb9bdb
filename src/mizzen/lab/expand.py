"""What the lab would make of documents, without running anything. Pure: the same documents give the same objects."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network

from mizzen.api.decode import decode
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.inject import InjectNamespace, InjectSettings, inject
from mizzen.lab import builtin, gateways, services, workloads
from mizzen.lab.manual_endpoints import mirrored
from mizzen.lab.store import CLUSTER_WIDE

Raw = workloads.Raw
NODE = "node"
FIRST_ADDRESS = IPv4Address("10.255.0.1")
NODE_ADDRESS = IPv4Address("10.255.255.254")
SERVICES = IPv4Network("10.96.0.0/16")
_CREATED = "1970-01-01T00:00:00.000000Z"


def expand(documents: Sequence[Raw], mesh: MeshConfig) -> list[Raw]:
    """The documents, then ReplicaSets, injected ready Pods (``<workload>-0``, addresses from 10.255.0.1 in the order of
    names) and EndpointSlices; services have addresses. Documents without a name are passed on as they are."""
    return _expand(documents, (), mesh)


def expand_in_mesh(documents: Sequence[Raw], mesh: MeshConfig) -> list[Raw]:
    """The same, in a mesh that also has what every mesh of the lab has: its node, control plane and gateways.

    Where the documents have an object of the same kind, namespace and name, theirs counts.
    """
    theirs = {_key(_placed(raw)) for raw in documents if isinstance(raw.get("metadata"), dict) and raw.get("kind")}
    own = [*builtin.objects(NODE, str(NODE_ADDRESS)), builtin.istiod_pod("istiod-0", NODE)]
    return _expand(documents, [raw for raw in own if _key(raw) not in theirs], mesh)


def _key(raw: Raw) -> tuple[str, str, str]:
    meta = raw["metadata"]
    return raw["kind"], str(meta.get("namespace") or ""), str(meta.get("name") or "")


def _expand(documents: Sequence[Raw], lab: Sequence[Raw], mesh: MeshConfig) -> list[Raw]:
    named = [raw for raw in documents if isinstance(raw.get("metadata"), dict) and raw["metadata"].get("name")]
    labels = {
        raw["metadata"]["name"]: raw["metadata"].get("labels") or {} for raw in named if raw.get("kind") == "Namespace"
    }
    # The users' pods come first, so that the lab's do not move their addresses.
    settings = InjectSettings(mesh=mesh, proxy_configs=_proxy_configs(named))
    lab = [*lab, *gateways.wanted([_placed(raw) for raw in [*named, *lab]], settings).objects]
    pods = _running([*_pods(named), *_pods(lab)], labels, settings)
    addressed = _addressed([raw for raw in [*named, *lab] if raw.get("kind") == "Service"])
    slices = [item for raw in addressed.values() for item in services.endpoint_slices(_placed(raw), pods, NODE)]
    manual = [_identified(_placed(raw)) for raw in named if raw.get("kind") == "Endpoints"]
    slices += [item for _, made in mirrored(manual, [_placed(s) for s in addressed.values()]) for item in made]
    known = {id(raw) for raw in [*named, *lab]}
    kept = [
        addressed.get(id(raw), raw) for raw in [*documents, *lab] if raw.get("kind") != "Pod" or id(raw) not in known
    ]
    sets = [
        _identified(workloads.replica_set(_identified(_placed(raw))))
        for raw in [*named, *lab]
        if raw.get("kind") == "Deployment" and workloads.template(raw)
    ]
    return [*kept, *sets, *pods, *slices]


def _pods(objects: Sequence[Raw]) -> list[Raw]:
    """Pods that are among ``objects`` and those that their workloads make, in the order of names."""
    own = [workloads.with_defaults(copy.deepcopy(_placed(raw))) for raw in objects if raw.get("kind") == "Pod"]
    made = [pod for raw in objects for pod in _pods_of(_identified(_placed(raw)))]
    return sorted([*own, *made], key=lambda p: (p["metadata"]["name"], p["metadata"]["namespace"]))


def _placed(raw: Raw) -> Raw:
    if raw["kind"] in CLUSTER_WIDE or raw["metadata"].get("namespace"):
        return raw
    return {**raw, "metadata": {**raw["metadata"], "namespace": "default"}}


def _identified(raw: Raw) -> Raw:
    meta = raw["metadata"]
    uid = workloads.short_hash([raw.get("kind"), meta.get("namespace"), meta["name"]], 20)
    return {**raw, "metadata": {"creationTimestamp": _CREATED, **meta, "uid": meta.get("uid") or uid}}


def _pods_of(workload: Raw) -> list[Raw]:
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
    for index, pod in enumerate(map(_identified, pods)):
        host_network = pod["spec"].get("hostNetwork") is True
        namespace, address = pod["metadata"]["namespace"], str(NODE_ADDRESS if host_network else FIRST_ADDRESS + index)
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
