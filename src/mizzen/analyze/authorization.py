"""AuthorizationPolicies that select nothing, or name namespaces that are not there (IST0127, IST0101)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.selection import AMBIENT_POD, expression, pod_in_mesh
from mizzen.api.security import AuthorizationPolicy
from mizzen.model.finding import Finding


def authorization_policies(estate: Estate) -> Iterator[Finding]:
    for policy in estate.decoded("AuthorizationPolicy"):
        yield from _workloads(estate, policy)
        yield from _namespaces(estate, policy)


def _workloads(estate: Estate, policy: Subject) -> Iterator[Finding]:
    body: AuthorizationPolicy = policy.body
    wanted = body.selector.match_labels if body.selector is not None else {}
    everywhere = policy.namespace == estate.mesh.root_namespace
    if everywhere and not wanted:
        return
    pods = estate.pods_with(wanted, None if everywhere else policy.namespace)
    if not any(_counts(estate, pod) for pod in pods):
        yield policy.finding("IST0127", labels=expression(wanted) or "none")


def _counts(estate: Estate, pod: Subject) -> bool:
    return pod.annotations.get(AMBIENT_POD) == "enabled" or pod_in_mesh(estate, pod)


def _namespaces(estate: Estate, policy: Subject) -> Iterator[Finding]:
    names = [name.lower() for name in estate.namespaces]
    body: AuthorizationPolicy = policy.body
    for i, rule in enumerate(body.rules):
        for j, sender in enumerate(rule.from_):
            source = sender.source
            if source is None:
                continue
            for part, wanted in (("namespaces", source.namespaces), ("notNamespaces", source.not_namespaces)):
                for k, pattern in enumerate(wanted):
                    if not any(_fits(pattern.lower(), name) for name in names):
                        field = f"spec.rules[{i}].from[{j}].source.{part}[{k}]"
                        yield policy.finding("IST0101", field, reftype="namespace", refval=pattern)


def _fits(pattern: str, name: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern
