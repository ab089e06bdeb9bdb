"""Does this pod get a proxy? First which webhook entry selects it, then what the handler decides (rows IJ-01..04, 07..09)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from mizzen.inject.settings import IGNORED_NAMESPACES, InjectNamespace, InjectSettings

INJECT = "sidecar.istio.io/inject"
REVISION = "istio.io/rev"
NAMESPACE_INJECTION = "istio-injection"


class Decision(Struct, frozen=True):
    """``reason`` is a sentence for the person who asks why; ``warning`` is empty or says what was not understood."""

    inject: bool
    reason: str
    warning: str = ""


def decide(pod: dict[str, Any], namespace: InjectNamespace, settings: InjectSettings) -> Decision:
    """What happens to ``pod`` when it is created in ``namespace``."""
    selected = select(pod, namespace, settings)
    return handle(pod, namespace.name, settings) if selected.inject else selected


def select(pod: dict[str, Any], namespace: InjectNamespace, settings: InjectSettings) -> Decision:
    """Whether a webhook entry of this revision matches (row IJ-05 lists the entries)."""
    labels = _labels(pod)
    default = settings.revision == "default" or "default" in settings.tags
    if labels.get(INJECT) == "false":
        return Decision(False, f"the pod has the label {INJECT}=false")
    if NAMESPACE_INJECTION in namespace.labels:
        value = namespace.labels[NAMESPACE_INJECTION]
        return Decision(value == "enabled" and default, f"namespace {namespace.name} has {NAMESPACE_INJECTION}={value}")
    names = {settings.revision, *settings.tags}
    if REVISION in namespace.labels:
        value = namespace.labels[REVISION]
        return Decision(value in names, f"namespace {namespace.name} has {REVISION}={value}")
    if REVISION in labels:
        return Decision(labels[REVISION] in names, f"the pod has the label {REVISION}={labels[REVISION]}")
    if labels.get(INJECT) == "true":
        return Decision(default, f"the pod has the label {INJECT}=true")
    if settings.namespaces_by_default and default and INJECT not in labels:
        return Decision(True, "namespaces are injected by default")
    return Decision(False, f"namespace {namespace.name} is not labelled {NAMESPACE_INJECTION}=enabled or {REVISION}")


def handle(pod: dict[str, Any], namespace: str, settings: InjectSettings) -> Decision:
    """The handler's own decision, the only one that ``kube-inject`` makes (row IJ-13)."""
    if (pod.get("spec") or {}).get("hostNetwork") is True:
        return Decision(False, "the pod uses the host's network")
    if namespace in IGNORED_NAMESPACES:
        return Decision(False, f"pods in namespace {namespace} are never injected")
    if settings.policy not in ("enabled", "disabled"):
        return Decision(
            False,
            f"the injection policy {settings.policy!r} is unknown",
            "injection policy must be enabled or disabled",
        )
    labels = _labels(pod)
    metadata = pod.get("metadata") or {}
    text = labels[INJECT] if INJECT in labels else (metadata.get("annotations") or {}).get(INJECT)
    if text in ("true", "false"):
        return Decision(text == "true", f"the pod has {INJECT}={text}")
    warning = "" if text in (None, "") else f"{INJECT}={text!r} is neither true nor false, so the policy decides"
    if _any(settings.never_inject, labels):
        return Decision(False, "the pod matches neverInjectSelector", warning)
    if _any(settings.always_inject, labels):
        return Decision(True, "the pod matches alwaysInjectSelector", warning)
    return Decision(settings.policy == "enabled", f"the injection policy is {settings.policy}", warning)


def _labels(pod: dict[str, Any]) -> dict[str, str]:
    return (pod.get("metadata") or {}).get("labels") or {}


def _any(selectors: Iterable[dict[str, Any]], labels: dict[str, str]) -> bool:
    # An empty selector would match every pod; Istio leaves it out.
    return any(selector and _matches(selector, labels) for selector in selectors)


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(rule, labels) for rule in selector.get("matchExpressions") or [])


def _expression(rule: dict[str, Any], labels: dict[str, str]) -> bool:
    key, operator, values = rule.get("key", ""), rule.get("operator"), rule.get("values") or []
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if operator == "In":
        return labels.get(key) in values
    return operator == "NotIn" and labels.get(key) not in values
