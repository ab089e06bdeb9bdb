"""Sidecars of which only one can count (row SC-10; Istio's messages IST0110 and IST0111)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mizzen.api.meta import Object
from mizzen.model.finding import Finding, Level
from mizzen.resolve import problems

SAME_WORKLOADS = "IST0110"
NO_SELECTOR = "IST0111"


def sidecar_findings(sidecars: Iterable[Object]) -> tuple[Finding, ...]:
    """One for each Sidecar that an older one of its namespace takes the place of. ``sidecars`` come oldest first."""
    return tuple(_younger(sidecars))


def _younger(sidecars: Iterable[Object]) -> Iterator[Finding]:
    first: dict[tuple[str, tuple[tuple[str, str], ...]], Object] = {}
    for obj in sidecars:
        selector = obj.body.workload_selector
        labels = tuple(sorted(selector.match_labels.items())) if selector is not None else ()
        oldest = first.setdefault((obj.namespace, labels), obj)
        if oldest is obj:
            continue
        if labels:
            text = f"the Sidecar {oldest.name} is older and selects the same workloads; this one has no effect"
            yield problems.about(obj, SAME_WORKLOADS, Level.ERROR, text, "spec.workloadSelector")
        else:
            text = f"the Sidecar {oldest.name} is older and has no selector either; this one has no effect"
            yield problems.about(obj, NO_SELECTOR, Level.ERROR, text, "spec")
