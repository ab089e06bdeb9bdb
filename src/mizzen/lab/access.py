"""Roles that an API server in RBAC mode begins with, and those that Istio's gateway chart gives its gateways (row GW-31)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Raw = dict[str, Any]
_API = "rbac.authorization.k8s.io"
_READ = ["get", "watch", "list"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_SECRETS: Raw = {"apiGroups": [""], "resources": ["secrets"]}
_SHOWN: Raw = {"apiGroups": [""], "resources": ["configmaps", "endpoints", "pods", "serviceaccounts", "services"]}


def objects(gateways: Iterable[str]) -> list[Raw]:
    """The ClusterRoles for people, and a Role and RoleBinding for the service account of each of ``gateways``."""
    return [*_for_people(), *(document for name in gateways for document in _for_gateway(name))]


def _for_people() -> list[Raw]:
    """Kubernetes' own four, of the resources there are here. ``admin``, ``edit`` and ``view`` gather every ClusterRole
    with their label, so that a user's can join them."""
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    edits = [{**_SECRETS, "verbs": [*_READ, *_WRITE]}, {**_SHOWN, "verbs": [*_READ, *_WRITE]}]
    return [
        _object("ClusterRole", "cluster-admin", rules=[everything]),
        _gathering("admin"),
        _gathering("edit", joins="admin"),
        _gathering("view", joins="edit"),
        _object("ClusterRole", "system:aggregate-to-edit", labels=_label("edit"), rules=edits),
        _object("ClusterRole", "system:aggregate-to-view", labels=_label("view"), rules=[{**_SHOWN, "verbs": _READ}]),
    ]


def _gathering(name: str, joins: str = "") -> Raw:
    selectors = {"clusterRoleSelectors": [{"matchLabels": _label(name)}]}
    return _object("ClusterRole", name, labels=_label(joins) if joins else {}, aggregationRule=selectors, rules=[])


def _label(role: str) -> dict[str, str]:
    return {f"{_API}/aggregate-to-{role}": "true"}


def _for_gateway(name: str) -> list[Raw]:
    account = f"{name}-service-account"
    subject = {"kind": "ServiceAccount", "name": account, "namespace": "istio-system"}
    reference = {"apiGroup": _API, "kind": "Role", "name": account}
    return [
        _object("Role", account, "istio-system", rules=[{**_SECRETS, "verbs": _READ}]),
        _object("RoleBinding", account, "istio-system", roleRef=reference, subjects=[subject]),
    ]


def _object(kind: str, name: str, namespace: str = "", labels: dict[str, str] | None = None, **body: Any) -> Raw:
    meta: Raw = {"name": name, **({"namespace": namespace} if namespace else {}), "labels": labels or {}}
    return {"apiVersion": f"{_API}/v1", "kind": kind, "metadata": meta, **body}
