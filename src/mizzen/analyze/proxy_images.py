"""Sidecars of another image than is injected now (IST0158)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.namespaces import injector_values
from mizzen.analyze.reading import at, block, text
from mizzen.analyze.selection import INJECTION, REVISION, proxy_containers, selects
from mizzen.api import inline_yaml
from mizzen.api.proxy_config import ProxyConfigObject
from mizzen.model.finding import Finding

_OWN_IMAGE = "sidecar.istio.io/proxyImage"
_CONFIG = "proxy.istio.io/config"


def proxy_images(estate: Estate) -> Iterator[Finding]:
    types = _Types(estate)
    for namespace in estate.of("Namespace"):
        revision = namespace.labels.get(REVISION, "")
        if not revision and namespace.labels.get(INJECTION) != "enabled":
            continue
        image = _injected(injector_values(estate, revision or "default"))
        if not image:
            continue
        pods = estate.pods_by_namespace.get(namespace.name, [])
        stale = sorted(pod.name for pod in pods if not pod.virtual and _stale(pod, image, types))
        if stale:
            yield namespace.finding("IST0158", pods=", ".join(stale))


def _injected(values: object) -> str:
    """The image that the installation's values name; empty when they name none."""
    image = text(values, "global", "proxy", "image")
    if not image or "/" in image:
        return image
    return f"{text(values, 'global', 'hub')}/{image}:{text(values, 'global', 'tag')}"


def _stale(pod: Subject, image: str, types: _Types) -> bool:
    if _OWN_IMAGE in pod.annotations:
        return False
    variant = types.of(pod)
    good = {image, f"{image}-{variant}"} if variant else {image}
    return any(text(container, "image") not in good for container in proxy_containers(block(pod.raw, "spec")))


class _Types:
    """The variant of the image that each pod asks for: mesh, ProxyConfig of mesh, namespace and pod, annotation."""

    def __init__(self, estate: Estate) -> None:
        self._mesh = text(estate.mesh.default_config.image, "imageType")
        self._root = estate.mesh.root_namespace
        self._wide: dict[str, str] = {}
        self._narrow: dict[str, list[tuple[Mapping[str, str], str]]] = defaultdict(list)
        for subject in estate.decoded("ProxyConfig"):
            body: ProxyConfigObject = subject.body
            variant = text(at(subject.raw, "spec"), "image", "imageType")
            labels = body.selector.match_labels if body.selector is not None else {}
            if variant and labels:
                self._narrow[subject.namespace].append((labels, variant))
            elif variant:
                self._wide[subject.namespace] = variant

    def of(self, pod: Subject) -> str:
        chosen = [self._mesh, self._wide.get(self._root, ""), self._wide.get(pod.namespace, "")]
        chosen += [variant for labels, variant in self._narrow[pod.namespace] if selects(labels, pod.labels)]
        chosen.append(_annotated(pod))
        return next((variant for variant in reversed(chosen) if variant), "")


def _annotated(pod: Subject) -> str:
    try:
        return text(inline_yaml.load(pod.annotations.get(_CONFIG, "")), "image", "imageType")
    except ValueError:
        return ""
