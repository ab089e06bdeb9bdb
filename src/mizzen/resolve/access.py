"""Roles and bindings, judged as Kubernetes' RBAC does, for one question: who may list Secrets (row GW-31).

Compiled to a set of grants: asking about a service account is then a look-up, and a change of roles that changes no
grant changes no proxy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mizzen.api.meta import Object
from mizzen.api.rbac import PolicyRule, Subject
from mizzen.model.access import EVERYONE, EVERYWHERE, AuthorizationMode, Grant, SecretAccess, SubjectKind, user_of
from mizzen.model.config import ObjectKey
from mizzen.model.label_selector import matches, problem

Objects = Mapping[ObjectKey, Object]
_ANY = "*"


def secret_access(
    mode: AuthorizationMode,
    reviews: SecretAccess | None,
    roles: Objects,
    bindings: Objects,
    cluster_roles: Objects,
    cluster_bindings: Objects,
) -> SecretAccess:
    """``reviews`` where an API server gave them; else everyone, or in RBAC mode those whom the objects let."""
    if reviews is not None:
        return reviews
    if mode is AuthorizationMode.ALWAYS_ALLOW:
        return EVERYONE
    listing = {name for _, name in cluster_roles if _lists(_rules(name, cluster_roles))}
    here = {key for key, obj in roles.items() if _lists(obj.body.rules)}
    return SecretAccess(grants=frozenset(_grants(bindings.values(), cluster_bindings.values(), here, listing)))


def _grants(
    bindings: Iterable[Object], cluster_bindings: Iterable[Object], here: set[ObjectKey], listing: set[str]
) -> Iterator[Grant]:
    for obj in bindings:
        role = obj.body.role_ref
        own, shared = role.kind == "Role", role.kind == "ClusterRole"
        if (own and (obj.namespace, role.name) in here) or (shared and role.name in listing):
            yield from _to(obj.body.subjects, obj.namespace)
    for obj in cluster_bindings:
        if obj.body.role_ref.kind == "ClusterRole" and obj.body.role_ref.name in listing:
            yield from _to(obj.body.subjects, EVERYWHERE)


def _to(subjects: Iterable[Subject], namespace: str) -> Iterator[Grant]:
    for subject in subjects:
        if subject.kind == "ServiceAccount":
            own = subject.namespace or namespace
            if own:  # A ClusterRoleBinding has no namespace to fall back on.
                yield Grant(SubjectKind.USER, user_of(own, subject.name), namespace)
        elif subject.kind in (SubjectKind.USER, SubjectKind.GROUP):
            yield Grant(SubjectKind(subject.kind), subject.name, namespace)


def _rules(name: str, roles: Objects, above: frozenset[str] = frozenset()) -> Iterator[PolicyRule]:
    """Those of a ClusterRole. One that aggregates has none of its own, but those of the roles that its selectors match,
    which may aggregate in turn; an invalid selector matches nothing."""
    obj = roles[("", name)]
    gathers = obj.body.aggregation_rule
    if gathers is None:
        yield from obj.body.rules
        return
    selectors = [raw for raw in gathers.cluster_role_selectors if problem(raw) == ""]
    for _, other in roles:
        labels = roles[("", other)].meta.labels
        if other not in above | {name} and any(matches(raw, labels) for raw in selectors):
            yield from _rules(other, roles, above | {name})


def _lists(rules: Iterable[PolicyRule]) -> bool:
    return any(_allows(rule) for rule in rules)


def _allows(rule: PolicyRule) -> bool:
    """``list`` of every Secret. A rule for Secrets of certain names does not allow it: a list names none."""
    return (
        bool({"list", _ANY} & set(rule.verbs))
        and bool({"", _ANY} & set(rule.api_groups))
        and bool({"secrets", _ANY} & set(rule.resources))
        and not rule.resource_names
    )
