"""Which pods a selector finds, and which of them are in the mesh (rule R4 of the rows)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import Raw, block, blocks, text, texts

T = TypeVar("T")

PROXY = "istio-proxy"
INJECT = "sidecar.istio.io/inject"
INJECTION = "istio-injection"
REVISION = "istio.io/rev"
DATAPLANE = "istio.io/dataplane-mode"
AMBIENT_POD = "ambient.istio.io/redirection"


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether labels have everything that a selector asks for; an empty one takes all."""
    return all(labels.get(key) == value for key, value in selector.items())


def expression(selector: Mapping[str, str]) -> str:
    """A selector as Kubernetes writes it: ``a=b,c=d``, keys in order."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def rivals(claims: Mapping[T, Sequence[Subject]]) -> Iterator[tuple[T, Subject, str]]:
    """Of whatever several objects claim, each of them with the names of all."""
    for claimed, subjects in claims.items():
        if len(subjects) > 1:
            names = ", ".join(sorted(subject.name for subject in subjects))
            yield from ((claimed, subject, names) for subject in subjects)


def proxy_containers(spec: Raw, init: bool = True) -> Iterator[Raw]:
    """The containers called istio-proxy that have an image."""
    places = ("containers", "initContainers") if init else ("containers",)
    for place in places:
        for container in blocks(spec, place):
            if text(container, "name") == PROXY and text(container, "image"):
                yield container


def pod_in_mesh(estate: Estate, pod: Subject) -> bool:
    """Rule R4 for a pod."""
    return _in_mesh(estate, pod.namespace, block(pod.raw, "spec"), pod.labels, pod.annotations, init=True)


def deployment_in_mesh(estate: Estate, deployment: Subject) -> bool:
    """Rule R4 for the template of a Deployment."""
    template = block(deployment.raw, "spec", "template")
    labels, notes = texts(template, "metadata", "labels"), texts(template, "metadata", "annotations")
    return _in_mesh(estate, deployment.namespace, block(template, "spec"), labels, notes, init=False)


def _in_mesh(
    estate: Estate, namespace: str, spec: Raw, labels: Mapping[str, str], notes: Mapping[str, str], init: bool
) -> bool:
    if any(proxy_containers(spec, init)):
        return True
    for said in (labels.get(INJECT), notes.get(INJECT)):
        if said is not None:
            return said == "true"
    home = estate.namespaces.get(namespace)
    return home is not None and home.labels.get(INJECTION) == "enabled"


def ambient(labels: Mapping[str, str]) -> bool:
    """Whether a namespace's labels put it into ambient mode."""
    return labels.get(DATAPLANE) == "ambient"


def generated_or_istios(labels: Mapping[str, str], managers: Iterable[str]) -> bool:
    """Whether an object belongs to Istio's own installation or was made by one of its gateway controllers."""
    if "istio" in labels or labels.get("release") == "istio":
        return True
    return labels.get("gateway.istio.io/managed", "") in {f"istio.io-{name}" for name in managers}
