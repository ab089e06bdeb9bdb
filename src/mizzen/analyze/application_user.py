"""Applications that run as the user of the sidecar (IST0144)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import Raw, block, blocks, number, text
from mizzen.model.finding import Finding

_SIDECAR_USER = 1337
_OURS = ("istio-proxy", "istio-operator")


def application_users(estate: Estate) -> Iterator[Finding]:
    for pod in estate.of("Pod"):
        yield from _of(pod, block(pod.raw, "spec"))
    for deployment in estate.of("Deployment"):
        yield from _of(deployment, block(deployment.raw, "spec", "template", "spec"))


def _of(subject: Subject, spec: Raw) -> Iterator[Finding]:
    if "istio" in subject.labels or subject.labels.get("release") == "istio":
        return
    own = [container for container in blocks(spec, "containers") if text(container, "name") not in _OURS]
    if any(number(part, "securityContext", "runAsUser") == _SIDECAR_USER for part in (spec, *own)):
        yield subject.finding("IST0144")
