"""Sidecars that select nothing, the same, or pods without a sidecar (IST0101, IST0110, IST0111, IST0167)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.selection import AMBIENT_POD, INJECTION, REVISION, ambient, expression, rivals
from mizzen.api.sidecar import Sidecar
from mizzen.model.finding import Finding

_FIELD = "metadata.name"


def sidecar_selectors(estate: Estate) -> Iterator[Finding]:
    subjects = estate.decoded("Sidecar")
    yield from _selecting(estate, [subject for subject in subjects if _labels(subject)])
    yield from _without_selector(estate, [subject for subject in subjects if not _labels(subject)])


def _selecting(estate: Estate, subjects: list[Subject]) -> Iterator[Finding]:
    by_pod: dict[Subject, list[Subject]] = defaultdict(list)
    for subject in subjects:
        labels = _labels(subject)
        pods = estate.pods_with(labels, subject.namespace)
        if not pods:
            field = f'spec.workloadSelector.labels["{next(iter(labels))}"]'
            yield subject.finding("IST0101", field, reftype="selector", refval=expression(labels))
        without = ""
        for pod in pods:
            if pod.annotations.get(AMBIENT_POD) == "enabled":
                without = without or pod.full_name
            else:
                by_pod[pod].append(subject)
        if without:
            yield subject.finding("IST0167", reason=f"pod {without} is in ambient mode")
    for pod, subject, names in rivals(by_pod):
        yield subject.finding("IST0110", _FIELD, names=names, namespace=pod.namespace, pod=pod.name)


def _without_selector(estate: Estate, subjects: list[Subject]) -> Iterator[Finding]:
    open_ones: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        if _ambient_namespace(estate, subject.namespace):
            yield subject.finding("IST0167", reason="its namespace is in ambient mode")
        else:
            open_ones[subject.namespace].append(subject)
    for namespace, subject, names in rivals(open_ones):
        yield subject.finding("IST0111", _FIELD, names=names, namespace=namespace)


def _labels(subject: Subject) -> Mapping[str, str]:
    body: Sidecar = subject.body
    return body.workload_selector.match_labels if body.workload_selector is not None else {}


def _ambient_namespace(estate: Estate, name: str) -> bool:
    home = estate.namespaces.get(name)
    if home is None or not ambient(home.labels):
        return False
    return home.labels.get(INJECTION) != "enabled" and not home.labels.get(REVISION)
