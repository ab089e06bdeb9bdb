"""Findings about workloads for which CUSTOM policies name several authorizers (row AP-06)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mizzen.api.meta import Object
from mizzen.model.closed import NO_PROVIDER
from mizzen.model.features import Features
from mizzen.model.finding import Finding, Level, about
from mizzen.model.service import Workload
from mizzen.resolve.policies import in_force


def overlap_findings(
    policies: Iterable[Object], workloads: Mapping[str, Workload], root_namespace: str, features: Features
) -> tuple[Finding, ...]:
    """An error per CUSTOM policy that shares a workload with one of another provider, unless that is switched on."""
    custom = [obj for obj in policies if obj.body.action == "CUSTOM"]
    if features.several_authorizers or len({_provider(obj) for obj in custom}) < 2:
        return ()
    found: dict[tuple[str, str], Finding] = {}
    for workload in workloads.values():
        both = in_force(custom, workload.namespace, workload.labels, root_namespace, features)
        names = sorted({_provider(obj) for obj in both})
        if len(names) < 2:
            continue
        text = (
            f"the providers {', '.join(names)} are named on {workload.name}.{workload.namespace}, and only one may be; "
            "requests that the rules select are denied"
        )
        for obj in both:
            found.setdefault(
                (obj.namespace, obj.name), about(obj, NO_PROVIDER, Level.ERROR, text, "spec.provider.name")
            )
    return tuple(found.values())


def _provider(obj: Object) -> str:
    return obj.body.provider.name if obj.body.provider else ""
