"""Telemetry objects that select the same, nothing, or name no provider (IST0101, IST0157, IST0159, IST0160)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.selection import expression, rivals
from mizzen.api.telemetry import Telemetry
from mizzen.model.finding import Finding


def providers(estate: Estate) -> Iterator[Finding]:
    if estate.mesh.default_providers.access_logging:
        return
    for subject in estate.decoded("Telemetry"):
        body: Telemetry = subject.body
        if any(not logging.disabled and not logging.providers for logging in body.access_logging):
            yield subject.finding("IST0157", name=subject.name, namespace=subject.namespace)


def default_selectors(estate: Estate) -> Iterator[Finding]:
    """Several objects of a namespace without a selector."""
    open_ones: dict[str, list[Subject]] = defaultdict(list)
    for subject in estate.decoded("Telemetry"):
        if subject.body.selector is None:
            open_ones[subject.namespace].append(subject)
    for namespace, subject, names in rivals(open_ones):
        yield subject.finding("IST0160", names=names, namespace=namespace)


def selectors(estate: Estate) -> Iterator[Finding]:
    """Objects whose selector finds no pod, and several that find the same one."""
    by_pod: dict[Subject, list[Subject]] = defaultdict(list)
    for subject in estate.decoded("Telemetry"):
        body: Telemetry = subject.body
        labels = body.selector.match_labels if body.selector is not None else {}
        if not labels:
            continue
        pods = estate.pods_with(labels, subject.namespace)
        if not pods:
            field = f'spec.selector.matchLabels["{next(iter(labels))}"]'
            yield subject.finding("IST0101", field, reftype="selector", refval=expression(labels))
        for pod in pods:
            by_pod[pod].append(subject)
    for pod, subject, names in rivals(by_pod):
        yield subject.finding("IST0159", names=names, namespace=pod.namespace, pod=pod.name)
