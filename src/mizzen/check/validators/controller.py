"""What makes pods: Deployment, StatefulSet, DaemonSet and Job; and Pod itself. The rules that Kubernetes' API server has too."""

from __future__ import annotations

from collections.abc import Mapping

from mizzen.api.kubernetes import Controller, Pod, PodSpec
from mizzen.check.notes import Notes

_EVICTION = "sidecar.istio.io/statsEvictionInterval"


def validate(body: Controller, notes: Notes) -> None:
    """A controller of pods that must find them again by its selector."""
    selector, template = body.spec.selector, body.spec.template
    notes.need(selector is not None, "spec.selector", "a selector is required")
    if selector is not None and template is not None:
        notes.need(
            selector.matches(template.metadata.labels),
            "spec.template.metadata.labels",
            "the labels of the template do not match spec.selector",
        )
    validate_job(body, notes)


def validate_job(body: Controller, notes: Notes) -> None:
    """A Job, whose selector is made for it."""
    for name, number in (("replicas", body.spec.replicas), ("parallelism", body.spec.parallelism)):
        notes.need(number is None or number >= 0, f"spec.{name}", "must be 0 or more")
    if notes.need(body.spec.template is not None, "spec.template", "a template is required") and body.spec.template:
        pods(body.spec.template.spec, "spec.template.spec", notes)
        _annotations(body.spec.template.metadata.annotations, "spec.template.metadata.annotations", notes)


def validate_pod(body: Pod, notes: Notes) -> None:
    pods(body.spec, "spec", notes)
    _annotations(notes.obj.meta.annotations, "metadata.annotations", notes)


def _annotations(annotations: Mapping[str, str], path: str, notes: Notes) -> None:
    """Row ME-14: Envoy's own eviction takes nothing away from the metrics of requests."""
    if _EVICTION in annotations:
        notes.warn(f'{path}["{_EVICTION}"]', "has no effect: a series stays for as long as its proxy lives")


def pods(spec: PodSpec, path: str, notes: Notes) -> None:
    """The containers of a pod: at least one, each with a name of its own."""
    notes.need(bool(spec.containers), f"{path}.containers", "at least one container is required")
    seen: set[str] = set()
    for field, containers in (("initContainers", spec.init_containers), ("containers", spec.containers)):
        for index, container in enumerate(containers):
            where = f"{path}.{field}[{index}].name"
            if notes.need(bool(container.name), where, "a name is required"):
                notes.need(container.name not in seen, where, f"there is another container {container.name!r}")
            seen.add(container.name)
