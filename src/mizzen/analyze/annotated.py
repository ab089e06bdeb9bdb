"""Annotations that are unknown, misplaced, old, young or of no use (IST0107, IST0108, IST0125, IST0135, IST0136)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.annotation_table import ANNOTATIONS, ANY
from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import blocks, text
from mizzen.analyze.selection import INJECT
from mizzen.api import inline_yaml
from mizzen.api.decode import decode_proxy_config
from mizzen.model.annotations import problems
from mizzen.model.finding import Finding

_KINDS = ("Namespace", "Service", "Pod", "Deployment")
_INGRESS_CLASS = "kubernetes.io/ingress.class"
_NEVER = {"sidecar.istio.io/status", "gateway.istio.io/controller-version", "istio.io/rev"}
_PROXY_CONFIG = "proxy.istio.io/config"
_ADDED = {
    "sidecar.istio.io/interceptionMode",
    "traffic.sidecar.istio.io/includeInboundPorts",
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
}


def misused(estate: Estate) -> Iterator[Finding]:
    for subject, key in _looked_at(estate):
        yield from _one(subject, key)


def alpha(estate: Estate) -> Iterator[Finding]:
    """Annotations of features that Istio calls alpha; without those that injection itself adds where a CNI plugin captures."""
    for subject, key in _looked_at(estate):
        known = ANNOTATIONS.get(key)
        if known is not None and known.alpha and not (key in _ADDED and _captured_by_plugin(subject)):
            yield subject.finding("IST0136", annotation=key)


def _looked_at(estate: Estate) -> Iterator[tuple[Subject, str]]:
    for kind in _KINDS:
        for subject in estate.of(kind):
            for key in subject.annotations:
                if (_istios(key) or key == _INGRESS_CLASS) and key not in _NEVER:
                    yield subject, key


def _captured_by_plugin(subject: Subject) -> bool:
    containers = blocks(subject.raw, "spec", "initContainers")
    return subject.kind == "Pod" and not any(text(container, "name") == "istio-init" for container in containers)


def _istios(key: str) -> bool:
    prefix, slash, _ = key.partition("/")
    return bool(slash) and prefix.endswith("istio.io")


def _one(subject: Subject, key: str) -> Iterator[Finding]:
    known = ANNOTATIONS.get(key)
    if known is None:
        yield subject.finding("IST0108", annotation=key)
        return
    if known.deprecated and not (key == INJECT and INJECT in subject.labels):
        hint = f" in favour of {known.instead}" if known.instead else ""
        yield subject.finding("IST0135", annotation=key, hint=hint)
    if ANY in known.kinds:
        return
    if subject.kind not in known.kinds:
        yield subject.finding("IST0107", annotation=key, kinds=", ".join(known.kinds))
        return
    problem = _problem(key, subject.annotations[key])
    if problem:
        yield subject.finding("IST0125", annotation=key, problem=problem)


def _problem(key: str, value: str) -> str:
    """What is wrong with the value of an annotation; an empty text when nothing is."""
    if key != _PROXY_CONFIG:
        return next((message for _, message in problems({key: value})), "")
    try:
        found = decode_proxy_config(inline_yaml.load(value))[1]
    except ValueError as error:
        return str(error)
    return next((f"{problem.path}: {problem.message}" for problem in found if problem.fatal), "")
