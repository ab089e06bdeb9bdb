"""``kube-inject``: the same injection for whatever holds a pod template (row IJ-13)."""

from __future__ import annotations

from msgspec import Struct

from mizzen.inject.decision import handle
from mizzen.inject.merge import Json
from mizzen.inject.owner import Owner, owner_of
from mizzen.inject.pod import UNDECIDED, render
from mizzen.inject.settings import InjectSettings
from mizzen.model.finding import Finding, Level

_TEMPLATES = (
    "Deployment",
    "DaemonSet",
    "ReplicaSet",
    "StatefulSet",
    "Job",
    "ReplicationController",
    "DeploymentConfig",
)


class Document(Struct, frozen=True, kw_only=True):
    """``document`` with its pods injected, or as it came; ``injected`` says whether any was."""

    document: Json
    injected: bool
    warnings: tuple[Finding, ...] = ()
    errors: tuple[Finding, ...] = ()


def workload(document: Json, settings: InjectSettings) -> Document:
    """Inject the pods of one document. Kinds without pods pass unchanged; so do pods that the handler leaves alone."""
    kind = document.get("kind")
    if kind == "List" or (isinstance(document.get("items"), list) and str(kind).endswith("List")):
        return _list(document, settings)
    if kind == "CronJob":
        outer = ((document.get("spec") or {}).get("jobTemplate") or {}).get("spec") or {}
        done, template = _template(document, outer.get("template") or {}, settings)
        if template is None:
            return done
        job = {**document["spec"]["jobTemplate"], "spec": {**outer, "template": template}}
        return _with(done, {**document, "spec": {**document["spec"], "jobTemplate": job}})
    if kind in _TEMPLATES:
        done, template = _template(document, (document.get("spec") or {}).get("template") or {}, settings)
        if template is None:
            return done
        return _with(done, {**document, "spec": {**document["spec"], "template": template}})
    if kind == "Pod":
        done, pod = _template(document, document, settings)
        return done if pod is None else _with(done, pod)
    return Document(document=document, injected=False)


def _list(document: Json, settings: InjectSettings) -> Document:
    done = [
        workload(item, settings) if isinstance(item, dict) else Document(document=item, injected=False)
        for item in document["items"]
    ]
    return Document(
        document={**document, "items": [item.document for item in done]},
        injected=any(item.injected for item in done),
        warnings=tuple(finding for item in done for finding in item.warnings),
        errors=tuple(finding for item in done for finding in item.errors),
    )


def _template(document: Json, pod: Json, settings: InjectSettings) -> tuple[Document, Json | None]:
    metadata = document.get("metadata") or {}
    namespace = metadata.get("namespace") or "default"
    decision = handle(pod, namespace, settings)
    warnings: tuple[Finding, ...] = ()
    if not decision.inject or decision.warning:
        text = decision.warning or f"not injected: {decision.reason}"
        warnings = (_finding(document, namespace, text),)
    if not decision.inject:
        return Document(document=document, injected=False, warnings=warnings), None
    done = render(pod, namespace, _owner(document), settings)
    result = Document(document=document, injected=done.injected, warnings=warnings + done.warnings, errors=done.errors)
    return result, done.pod if done.injected else None


def _owner(document: Json) -> Owner:
    if document.get("kind") == "Pod":
        return owner_of(document)
    metadata = document.get("metadata") or {}
    return Owner(metadata.get("name", ""), document["kind"], document.get("apiVersion", ""))


def _with(done: Document, document: Json) -> Document:
    return Document(document=document, injected=done.injected, warnings=done.warnings, errors=done.errors)


def _finding(document: Json, namespace: str, message: str) -> Finding:
    name = (document.get("metadata") or {}).get("name", "")
    return Finding(
        code=UNDECIDED, level=Level.WARNING, message=message, kind=document["kind"], namespace=namespace, name=name
    )
