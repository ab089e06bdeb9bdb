"""Which pod a name means: ``pod``, ``pod.ns``, ``deploy/name``, ``deploy/name.ns``, ``service/name`` (row IC-03)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mizzen.cli.failure import Exit, Failure

Json = dict[str, Any]
Find = Callable[[str, str, str], list[Json]]
"""(kind, namespace, name) to the raw objects; an empty name means every object of the namespace."""

PROXY_CONTAINER = "istio-proxy"
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def split(word: str, namespace: str | None, default: str = "default") -> tuple[str, str, str]:
    """``word`` as (type, name, namespace). What follows the last dot after the slash is the namespace; it beats ``-n``."""
    kind, slash, rest = word.rpartition("/")
    name, dot, own = rest.rpartition(".")
    if not dot:
        name, own = rest, ""
    if not name or (slash and not kind):
        raise Failure(f"{word!r} is not [TYPE/]NAME[.NAMESPACE]", code=Exit.USAGE)
    return kind or "pod", name, own or namespace or default


def pods_of(word: str, namespace: str | None, find: Find, default: str = "default") -> list[Json]:
    """The pods that ``word`` means, the best one to talk to first. Raises Failure when there is none.

    A pod name with dots is tried as it stands too, and a bare name that is no pod as a Deployment's.
    """
    from mizzen.cli.kinds import kind_of

    type_word, name, space = split(word, namespace, default)
    kind = kind_of(type_word).kind
    if kind == "Pod":
        pods = find("Pod", space, name) or (find("Pod", namespace or default, word) if "." in word else [])
        if not pods and "/" not in word:
            pods = _selected("Deployment", space, name, find)
    else:
        pods = _selected(kind, space, name, find)
    if not pods:
        raise Failure(
            f"there is no running pod for {word!r} in namespace {space}",
            hint=f"see what runs: `mizzen get pods -n {space}`",
        )
    return sorted(pods, key=_preference)


def proxied_pods_of(word: str, namespace: str | None, find: Find) -> list[Json]:
    """As ``pods_of``, only those that have a proxy. Raises Failure when none of them has one."""
    pods = pods_of(word, namespace, find)
    found = [pod for pod in pods if has_proxy(pod)]
    if found:
        return found
    space, name = identify(pods[0])
    raise Failure(
        f"the pod {name}.{space} has no sidecar",
        hint=f"label the namespace {space} with istio-injection=enabled, then make its pods anew: `mizzen rollout restart`",
    )


def has_proxy(pod: Json) -> bool:
    """Whether a container (a native sidecar too) of the pod is the proxy."""
    spec = pod.get("spec") or {}
    return any(
        container.get("name") == PROXY_CONTAINER
        for key in ("containers", "initContainers")
        for container in spec.get(key) or []
    )


def _selected(kind: str, namespace: str, name: str, find: Find) -> list[Json]:
    for owner in find(kind, namespace, name):
        spec = owner.get("spec") or {}
        selector = spec.get("selector") or {}
        labels = selector.get("matchLabels", {}) if kind != "Service" else selector
        if not labels:
            labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if labels:
            return [
                pod
                for pod in find("Pod", namespace, "")
                if matches(pod, labels) and phase(pod) not in ("Succeeded", "Failed")
            ]
    return []


def matches(obj: Json, labels: Mapping[str, str]) -> bool:
    own = (obj.get("metadata") or {}).get("labels") or {}
    return all(own.get(key) == value for key, value in labels.items())


def phase(pod: Json) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def is_ready(pod: Json) -> bool:
    """Whether the pod's condition Ready is true."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _preference(pod: Json) -> tuple[bool, bool, str]:
    """The order in which kubectl would choose: ready ones first, those that are going last, then by name."""
    metadata = pod.get("metadata") or {}
    return (bool(metadata.get("deletionTimestamp")), not is_ready(pod), str(metadata.get("name", "")))


def default_container(pod: Json) -> str:
    """The container that is meant when none is named: the annotated one, else the first that is not the sidecar."""
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    names = container_names(pod)
    annotated = annotations.get(_DEFAULT_CONTAINER, "")
    if annotated in names:
        return str(annotated)
    return next((name for name in names if name != PROXY_CONTAINER), names[0] if names else "")


def container_names(pod: Json) -> list[str]:
    """The pod's containers, then its init containers."""
    spec = pod.get("spec") or {}
    return [str(c.get("name", "")) for field in ("containers", "initContainers") for c in spec.get(field) or []]


def chosen_container(pod: Json, wanted: str | None) -> str:
    """``wanted`` if the pod has it, else the default. Raises Failure naming what there is."""
    if wanted is None:
        return default_container(pod)
    names = container_names(pod)
    if wanted not in names:
        name = (pod.get("metadata") or {}).get("name", "")
        raise Failure(f"pod {name} has no container {wanted!r}", hint=f"it has: {', '.join(names)}")
    return wanted


def identify(pod: Json) -> tuple[str, str]:
    """(namespace, name)."""
    metadata = pod.get("metadata") or {}
    return str(metadata.get("namespace") or "default"), str(metadata.get("name", ""))
