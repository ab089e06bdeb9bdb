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
        yield from _of(pod, block(pod.raw, "spec"), "spec")
    for deployment in estate.of("Deployment"):
        yield from _of(deployment, block(deployment.raw, "spec", "template", "spec"), "spec.template.spec")


def _of(subject: Subject, spec: Raw, path: str) -> Iterator[Finding]:
    if "istio" in subject.labels or subject.labels.get("release") == "istio":
        return
    parts = [(path, spec)]
    for index, container in enumerate(blocks(spec, "containers")):
        if text(container, "name") not in _OURS:
            parts.append((f"{path}.containers[{index}]", container))
    at_fault = [name for name, part in parts if number(part, "securityContext", "runAsUser") == _SIDECAR_USER]
    if at_fault:
        yield subject.finding("IST0144", f"{at_fault[0]}.securityContext.runAsUser")
