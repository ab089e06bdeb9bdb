"""Whether namespaces and their pods are injected as they say (IST0102, IST0103, IST0123, IST0148)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mizzen.analyze.estate import SYSTEM, Estate, Subject
from mizzen.analyze.reading import at, block, text
from mizzen.analyze.selection import DATAPLANE, INJECT, INJECTION, REVISION, ambient, proxy_containers
from mizzen.model.finding import Finding

INJECTOR = "istio-sidecar-injector"
"""The ConfigMap with the settings of injection."""


def injection(estate: Estate) -> Iterator[Finding]:
    by_default = at(injector_values(estate), "sidecarInjectorWebhook", "enableNamespacesByDefault") is True
    for namespace in estate.of("Namespace"):
        yield from _labels(namespace)
        if not _says(namespace):
            if by_default:
                yield namespace.finding("IST0148")
            else:
                yield namespace.finding("IST0102", "metadata.name", namespace=namespace.name)
    for pod in estate.of("Pod"):
        if _lacks_proxy(estate, pod):
            yield pod.finding("IST0103", pod=pod.full_name)


def injector_values(estate: Estate, revision: str = "default") -> object:
    """The installation's values out of the ConfigMap of a revision; None when there is none that can be read."""
    name = INJECTOR if revision in ("", "default") else f"{INJECTOR}-{revision}"
    maps = [found for found in estate.of("ConfigMap") if found.name == name]
    for config in sorted(maps, key=lambda found: found.namespace != SYSTEM):
        try:
            return json.loads(text(config.raw, "data", "values"))
        except ValueError:
            return None
    return None


def _labels(namespace: Subject) -> Iterator[Finding]:
    labels = namespace.labels
    if namespace.name == SYSTEM:
        return
    counted = [INJECTION] if INJECTION in labels else []
    if labels.get(INJECTION, "enabled") == "enabled":
        counted += [label for label in (REVISION, DATAPLANE) if label in labels]
    if len(counted) > 1:
        said = ", ".join(f"{label}={labels[label]}" for label in counted)
        yield namespace.finding("IST0123", labels=said)


def _says(namespace: Subject) -> bool:
    """Whether a namespace decides about injection, or has no need to."""
    labels = namespace.labels
    return namespace.name == SYSTEM or ambient(labels) or bool(labels.get(INJECTION)) or REVISION in labels


def _lacks_proxy(estate: Estate, pod: Subject) -> bool:
    home = estate.namespaces.get(pod.namespace)
    if home is None or home.name == SYSTEM or ambient(home.labels) or home.labels.get(INJECTION) != "enabled":
        return False
    said = pod.labels.get(INJECT, pod.annotations.get(INJECT, ""))
    spec = block(pod.raw, "spec")
    if said.lower() == "false" or at(spec, "hostNetwork") is True:
        return False
    return not any(proxy_containers(spec))
