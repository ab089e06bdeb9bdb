"""What Kubernetes' controllers would make of workloads: ReplicaSets and Pods. Pure: names and times come in."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

Raw = dict[str, Any]
TEMPLATED = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def short_hash(value: object, length: int = 10) -> str:
    """A name's suffix that depends on ``value`` alone, in Kubernetes' alphabet without vowels."""
    number = int.from_bytes(
        hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).digest()[:12], "big"
    )
    letters = ""
    for _ in range(length):
        number, index = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[index]
    return letters


def template(workload: Raw) -> Raw:
    spec = workload.get("spec") or {}
    found = spec.get("template")
    return found if isinstance(found, dict) else {}


def replicas(workload: Raw) -> int:
    """How many pods a workload wants; a Job its parallelism, everything else one unless it says so."""
    spec = workload.get("spec") or {}
    if workload.get("kind") == "DaemonSet":
        return 1
    wanted = spec.get("parallelism" if workload.get("kind") == "Job" else "replicas")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted >= 0 else 1


def replica_set(deployment: Raw) -> Raw:
    """The ReplicaSet of a Deployment's present template."""
    meta, pod = deployment["metadata"], template(deployment)
    suffix = short_hash(pod)
    labels = {**((pod.get("metadata") or {}).get("labels") or {}), "pod-template-hash": suffix}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{meta['name']}-{suffix}",
            "namespace": meta["namespace"],
            "labels": labels,
            "ownerReferences": [owner(deployment)],
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {**pod, "metadata": {**(pod.get("metadata") or {}), "labels": labels}},
        },
    }


def owner(of: Raw) -> Raw:
    meta = of["metadata"]
    return {
        "apiVersion": of.get("apiVersion", "v1"),
        "kind": of["kind"],
        "name": meta["name"],
        "uid": meta.get("uid", ""),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod(workload: Raw, name: str, generated: bool = True) -> Raw:
    """A pod of ``workload`` (not yet injected). ``generated``: it carries generateName, as all but StatefulSet pods do."""
    wanted, meta = template(workload), workload["metadata"]
    own = wanted.get("metadata") or {}
    labels = dict(own.get("labels") or {})
    if workload["kind"] == "Job":
        labels |= {"batch.kubernetes.io/job-name": meta["name"], "job-name": meta["name"]}
    if workload["kind"] == "StatefulSet":
        labels |= {"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": name.rsplit("-", 1)[-1]}
    metadata: Raw = {
        "name": name,
        "namespace": meta["namespace"],
        "labels": labels,
        "annotations": dict(own.get("annotations") or {}),
        "ownerReferences": [owner(workload)],
    }
    if generated:
        metadata["generateName"] = f"{meta['name']}-"
    spec = json.loads(json.dumps(wanted.get("spec") or {}, default=str))
    if workload["kind"] == "StatefulSet":
        spec.setdefault("hostname", name)
        spec.setdefault("subdomain", (workload.get("spec") or {}).get("serviceName", ""))
    return with_defaults({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def with_defaults(raw: Raw) -> Raw:
    """What the API server fills in that injection and the lab read."""
    spec = raw.setdefault("spec", {})
    spec.setdefault("serviceAccountName", spec.get("serviceAccount") or "default")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("containers", [])
    return raw


class Group(Struct, frozen=True):
    """The pods of one ReplicaSet: how many are wanted, how many exist, how many of those are ready."""

    name: str
    wanted: int
    existing: int
    ready: int


def rollout(deployment: Raw, new: Group, old: Sequence[Group]) -> dict[str, int]:
    """The next ``replicas`` of each ReplicaSet: one step of a rolling update that keeps at least
    ``replicas - maxUnavailable`` ready and at most ``replicas + maxSurge`` alive (Kubernetes' rule; 25 % each)."""
    total = replicas(deployment)
    strategy = (deployment.get("spec") or {}).get("strategy") or {}
    if strategy.get("type") == "Recreate":
        plan = {group.name: 0 for group in old}
        plan[new.name] = new.wanted if any(group.existing for group in old) else total
        return plan
    surge, unavailable = limits(strategy.get("rollingUpdate") or {}, total)
    old_wanted = sum(group.wanted for group in old)
    grown = min(total, max(new.wanted, total + surge - old_wanted)) if new.wanted <= total else total
    plan = {new.name: grown}
    ready = new.ready + sum(group.ready for group in old)
    spare = max(0, ready - (total - unavailable))
    for group in sorted(old, key=lambda g: (g.ready, g.name)):
        broken = max(0, group.wanted - group.ready)
        remove = min(group.ready, spare)
        spare -= remove
        plan[group.name] = group.wanted - broken - remove
    return plan


def limits(settings: Raw, total: int) -> tuple[int, int]:
    """maxSurge (rounded up) and maxUnavailable (rounded down); both zero would never move, so one pod may be missing."""
    surge = _share(settings.get("maxSurge", "25%"), total, math.ceil)
    unavailable = _share(settings.get("maxUnavailable", "25%"), total, math.floor)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def _share(value: object, total: int, rounding: Any) -> int:
    if isinstance(value, str) and value.endswith("%"):
        try:
            return int(rounding(float(value[:-1]) * total / 100))
        except ValueError:
            return 1
    return value if isinstance(value, int) and value >= 0 else 1


def is_ready(raw: Raw) -> bool:
    conditions = (raw.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def owned(objects: Sequence[Raw], by: Raw) -> list[Raw]:
    """Those of ``objects`` whose controller is ``by``."""
    uid = by["metadata"].get("uid")
    return [
        o
        for o in objects
        if any(r.get("uid") == uid and r.get("controller") for r in o["metadata"].get("ownerReferences") or [])
    ]
