"""rbac.authorization.k8s.io: who may do what at the API server. The body of each is the whole document (row GW-31)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class PolicyRule(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is allowed: each list holds the words of which one must fit; ``resource_names`` empty is any name."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class AggregationRule(Struct, frozen=True, kw_only=True, rename="camel"):
    """Label selectors of the ClusterRoles whose rules take the place of a role's own."""

    cluster_role_selectors: tuple[dict[str, Any], ...] = ()


class Role(Struct, frozen=True, kw_only=True):
    rules: tuple[PolicyRule, ...] = ()


class ClusterRole(Struct, frozen=True, kw_only=True, rename="camel"):
    rules: tuple[PolicyRule, ...] = ()
    aggregation_rule: AggregationRule | None = None


class RoleRef(Struct, frozen=True, kw_only=True, rename="camel"):
    api_group: str = ""
    kind: str = ""
    name: str = ""


class Subject(Struct, frozen=True, kw_only=True, rename="camel"):
    """``namespace`` counts for a ServiceAccount; in a RoleBinding an empty one is the binding's own."""

    kind: str = ""
    api_group: str = ""
    name: str = ""
    namespace: str = ""


class Binding(Struct, frozen=True, kw_only=True, rename="camel"):
    """A RoleBinding, or a ClusterRoleBinding: then the role holds in every namespace."""

    role_ref: RoleRef = RoleRef()
    subjects: tuple[Subject, ...] = ()
