"""Whose pod is it? The workload's name and kind, from the pod's controller (row IP-08)."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

_CRON = re.compile(r"^(.+)-\d{8,10}$")


class Owner(Struct, frozen=True):
    """A workload: Deployment, StatefulSet, Job, …, or the pod itself. ``name`` may be empty for a nameless pod."""

    name: str
    kind: str = "Pod"
    api_version: str = "v1"

    def uri(self, namespace: str) -> str:
        """What Envoy's node metadata calls OWNER."""
        return f"kubernetes://apis/{self.api_version}/namespaces/{namespace}/{self.kind.lower()}s/{self.name}"


def owner_of(pod: dict[str, Any]) -> Owner:
    """The workload that ``pod`` belongs to; only pods with ``generateName`` and a controller belong to one."""
    metadata = pod.get("metadata") or {}
    labels = metadata.get("labels") or {}
    itself = Owner(metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-"))
    controller = next((ref for ref in metadata.get("ownerReferences") or [] if ref.get("controller")), None)
    if controller is None or not metadata.get("generateName"):
        return itself
    name, kind = controller.get("name", ""), controller.get("kind", "")
    owner = Owner(name, kind, controller.get("apiVersion", ""))
    if kind == "ReplicaSet":
        return _of_replica_set(owner, labels)
    if kind == "ReplicationController" and labels.get("deploymentconfig"):
        return Owner(labels["deploymentconfig"], "DeploymentConfig", "apps.openshift.io/v1")
    if kind == "Job" and (match := _CRON.match(name)):
        return Owner(match[1], "CronJob", "batch/v1")
    return owner


def _of_replica_set(owner: Owner, labels: dict[str, str]) -> Owner:
    rollout, template = labels.get("rollouts-pod-template-hash"), labels.get("pod-template-hash")
    if rollout and owner.name.endswith("-" + rollout):
        return Owner(owner.name.removesuffix("-" + rollout), "Rollout", "argoproj.io/v1alpha1")
    if template and owner.name.endswith("-" + template):
        return Owner(owner.name.removesuffix("-" + template), "Deployment", "apps/v1")
    return owner
