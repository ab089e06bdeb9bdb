"""Injection webhooks: dead ones, rivals, and containers that wait for one (IST0139, IST0146, IST0147)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import Raw, at, block, blocks, text, texts
from mizzen.analyze.selection import INJECT, INJECTION, PROXY, REVISION
from mizzen.model.finding import Finding
from mizzen.model.label_selector import matches, problem

_KIND = "MutatingWebhookConfiguration"
_ISTIOS = "istio.io"
_AUTO = "auto"

_Hook = tuple[Subject, Raw, str]
"""A configuration, one of its webhooks, and the path of the name of that."""


def injection_webhooks(estate: Estate) -> Iterator[Finding]:
    hooks = [
        (subject, hook, f"webhooks[{index}].name")
        for subject in estate.of(_KIND)
        for index, hook in enumerate(blocks(subject.raw, "webhooks"))
        if _considered(subject, hook)
    ]
    yield from _overlaps(hooks)
    for subject, hook, field in hooks:
        service = block(hook, "clientConfig", "service")
        name, namespace = text(service, "name"), text(service, "namespace")
        if service and estate.find("Service", namespace, name) is None:
            said = f"webhook {text(hook, 'name')} leads to the Service {namespace}/{name}, which does not exist"
            yield subject.finding("IST0139", field, error=said)


def _considered(subject: Subject, hook: Raw) -> bool:
    return text(hook, "name").endswith(_ISTIOS) or REVISION in subject.labels or bool(_revisions(hook))


def _revisions(hook: Raw) -> set[str]:
    """The revisions that a webhook's selectors name; an empty text where one is asked for without a value."""
    found: set[str] = set()
    for part in ("namespaceSelector", "objectSelector"):
        labels = texts(hook, part, "matchLabels")
        found |= {labels[REVISION]} if REVISION in labels else set()
        for expression in blocks(hook, part, "matchExpressions"):
            if text(expression, "key") == REVISION:
                values = at(expression, "values")
                found |= {str(value) for value in values} if isinstance(values, list) and values else {""}
    return found


def _overlaps(hooks: list[_Hook]) -> Iterator[Finding]:
    """Pods that two webhooks want, tried with every labelling that injection knows."""
    revisions = {revision for _, hook, _ in hooks for revision in _revisions(hook) if revision}
    revisions |= {subject.labels[REVISION] for subject, *_ in hooks if subject.labels.get(REVISION)}
    spaces = _labellings(INJECTION, ("enabled", "disabled"), revisions)
    pods = _labellings(INJECT, ("true", "false"), revisions)
    rivals: dict[int, set[str]] = {}
    for space, pod in product(spaces, pods):
        taken = [index for index, (_, hook, _) in enumerate(hooks) if _selects(hook, space, pod)]
        for index in taken if len(taken) > 1 else ():
            others = {_path(hooks[other]) for other in taken if other != index}
            rivals.setdefault(index, set()).update(others)
    for index, others in rivals.items():
        subject, hook, field = hooks[index]
        said = f"webhook {text(hook, 'name')} takes the same pods as {', '.join(sorted(others))}"
        yield subject.finding("IST0139", field, error=said)


def _path(hook: _Hook) -> str:
    return f"{hook[0].name}/{text(hook[1], 'name')}"


def _labellings(label: str, values: tuple[str, ...], revisions: set[str]) -> list[dict[str, str]]:
    plain: list[dict[str, str]] = [{}, *({label: value} for value in values)]
    return [*plain, *({**labels, REVISION: revision} for revision in sorted(revisions) for labels in plain)]


def _selects(hook: Raw, space: Mapping[str, str], pod: Mapping[str, str]) -> bool:
    return _matches(hook, "namespaceSelector", space) and _matches(hook, "objectSelector", pod)


def _matches(hook: Raw, part: str, labels: Mapping[str, str]) -> bool:
    """Whether a selector takes these labels; an unset one takes all, one that cannot be read none."""
    selector = dict(block(hook, part))
    return not problem(selector) and matches(selector, dict(labels))


def unfilled_images(estate: Estate) -> Iterator[Finding]:
    """Containers whose image only injection can fill in."""
    for pod in estate.of("Pod"):
        if _waits(block(pod.raw, "spec")):
            yield pod.finding("IST0147", kind="Pod", name=pod.name)
    hooks = [hook for subject in estate.of(_KIND) for hook in blocks(subject.raw, "webhooks")]
    hooks = [hook for hook in hooks if text(hook, "name").endswith(_ISTIOS)]
    for deployment in estate.of("Deployment"):
        template = block(deployment.raw, "spec", "template")
        if not _waits(block(template, "spec")):
            continue
        home = estate.namespaces.get(deployment.namespace)
        space, labels = home.labels if home is not None else {}, texts(template, "metadata", "labels")
        if not any(_selects(hook, space, labels) for hook in hooks):
            yield deployment.finding("IST0146", kind="Deployment", name=deployment.name)


def _waits(spec: Raw) -> bool:
    return any(text(c, "name") == PROXY and text(c, "image") == _AUTO for c in blocks(spec, "containers"))
