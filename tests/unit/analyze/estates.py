"""Small estates of a few objects, and what an analyzer says about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from mizzen.analyze import Estate
from mizzen.api.kinds import KINDS
from mizzen.api.meta import Origin
from mizzen.model.finding import Finding
from mizzen.sources.estate import survey
from mizzen.sources.files import Document

Json = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def obj(kind: str, name: str, spec: Json | None = None, namespace: str = "default", **more: Any) -> Json:
    """A document; ``labels`` and ``annotations`` go to its metadata, everything else beside ``spec``."""
    info = KINDS[kind]
    metadata: Json = {"name": name, **({"namespace": namespace} if info.namespaced else {})}
    for part in ("labels", "annotations"):
        if part in more:
            metadata[part] = more.pop(part)
    body = {} if spec is None else {"spec": spec}
    return {"apiVersion": info.api_version, "kind": info.kind, "metadata": metadata, **body, **more}


def pod(name: str, namespace: str = "default", spec: Json | None = None, **labels: str) -> Json:
    """A pod with one container and these labels (``_`` for ``-``)."""
    return obj("Pod", name, spec or {"containers": [{"name": "app", "image": "app"}]}, namespace, labels=labels)


def meshed(name: str, namespace: str = "default", **labels: str) -> Json:
    """A pod with a sidecar."""
    return pod(name, namespace, {"containers": [{"name": "istio-proxy", "image": "proxyv2"}]}, **labels)


def service(name: str, *ports: Json, namespace: str = "default", **spec: Any) -> Json:
    return obj("Service", name, {"ports": list(ports), **spec}, namespace)


def injected(name: str, **labels: str) -> Json:
    """A namespace that is injected."""
    return obj("Namespace", name, labels={"istio-injection": "enabled", **labels})


def estate(
    *documents: Json, mesh: Json | None = None, networks: Json | None = None, files_only: bool = False
) -> Estate:
    read = survey(
        [Document(raw, Origin("")) for raw in documents], mesh=mesh, networks=networks, files_only=files_only, now=NOW
    )
    return read.estate


def found(run: Callable[[Estate], Iterable[Finding]], *documents: Json, **options: Any) -> list[tuple[str, str]]:
    """(code, ``Kind ns/name``) of what an analyzer says, in order."""
    return [(f.code, origin(f)) for f in run(estate(*documents, **options))]


def fields(run: Callable[[Estate], Iterable[Finding]], *documents: Json, **options: Any) -> list[tuple[str, str]]:
    """(code, field)."""
    return [(f.code, f.field) for f in run(estate(*documents, **options))]


def messages(run: Callable[[Estate], Iterable[Finding]], *documents: Json, **options: Any) -> list[str]:
    return [f.message for f in run(estate(*documents, **options))]


def origin(finding: Finding) -> str:
    return (
        f"{finding.kind} {finding.namespace}/{finding.name}" if finding.namespace else f"{finding.kind} {finding.name}"
    )
