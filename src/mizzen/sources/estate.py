"""Documents become an :class:`~mizzen.analyze.estate.Estate`: what the analysis of a mesh looks at (row IA-01).

Here everything counts as it was written: objects that a validator refuses stay, as far as they can be read, and nothing
gets a default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from msgspec.structs import replace as with_fields

from mizzen.analyze.estate import SYSTEM, Estate, Subject
from mizzen.analyze.mesh_networks import KIND as MESH_NETWORKS
from mizzen.analyze.mesh_networks import NAME as MESH_NETWORKS_NAME
from mizzen.analyze.reading import at, block, text, texts
from mizzen.api.decode import decode, decode_mesh, readable_body
from mizzen.api.kinds import kind_of
from mizzen.check import codes, validate
from mizzen.model.finding import Finding
from mizzen.sources.config import Key, finding_of, replace_line
from mizzen.sources.files import Document, parse
from mizzen.sources.mesh import NAME as MESH_MAP
from mizzen.sources.mesh import NETWORKS_KEY, MeshReading, is_mesh_config, joined, line_inside, read_mesh
from mizzen.sources.selection import EVERYTHING, Selection

NEVER_READ = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})
"""Kubernetes' own namespaces: nothing in them is looked at."""
_MESH: Key = ("MeshConfig", SYSTEM, "meshconfig")
"""The mesh config is text inside a ConfigMap; findings about it name it so."""
_CONTROLLERS = ("Deployment", "StatefulSet", "DaemonSet", "Job")
_JSON = ".json"
_NETWORKS: Key = (MESH_NETWORKS, SYSTEM, MESH_NETWORKS_NAME)


@dataclass(frozen=True)
class Skipped:
    """A document that is not analysed, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Survey:
    """What was read for one analysis."""

    estate: Estate
    skipped: tuple[Skipped, ...]
    documents: Mapping[Key, Document]

    def located(self, finding: Finding) -> Finding:
        """The finding with the line of its field, if the file says something there; else that of the object (IA-06)."""
        document = self.documents.get((finding.kind, finding.namespace, finding.name))
        if finding.file.endswith(_JSON):
            return with_fields(finding, line=0)
        if document is None or not finding.field or finding.file != document.origin.file:
            return finding
        return replace_line(finding, document.line_of_scalar(finding.field))


def survey(
    documents: Iterable[Document],
    *,
    namespace: str = "default",
    mesh: Mapping[str, Any] | None = None,
    networks: Mapping[str, Any] | None = None,
    files_only: bool = True,
    mesh_maps: tuple[str, ...] = (MESH_MAP,),
    selection: Selection = EVERYTHING,
    now: datetime | None = None,
) -> Survey:
    """The estate of some documents; of two for one object the later one counts.

    ``namespace`` is that of objects which name none. ``mesh`` is mesh config over that of the documents, ``networks``
    takes the place of theirs. With ``files_only`` the gateway that every installation has is added, and pods that the
    controllers among the documents would make. ``mesh_maps`` are the names of the ConfigMaps with mesh config,
    ``selection`` what the control plane reads.
    """
    found: dict[Key, Subject] = {}
    kept: dict[Key, Document] = {}
    skipped: list[Skipped] = []
    raws: list[Mapping[str, Any]] = []
    for document in documents:
        subject = _subject(document, namespace, selection)
        if isinstance(subject, Skipped):
            skipped.append(subject)
            continue
        key = (subject.kind, subject.namespace, subject.name)
        found[key], kept[key] = subject, document
        if is_mesh_config(*key, mesh_maps):
            reading, parts = _mesh_subjects(subject, document)
            raws.append(reading.raw)
            found.update({(part.kind, part.namespace, part.name): part for part in parts})
    if networks is not None:
        found[_NETWORKS] = Subject(*_NETWORKS, raw=networks)
    nothing: Mapping[str, Any] = {}
    config = decode_mesh(reduce(joined, [*raws, *([mesh] if mesh else [])], nothing))[0]
    for stand_in in _stand_ins(found, files_only and config.ingress_controller_mode != "OFF"):
        found.setdefault((stand_in.kind, stand_in.namespace, stand_in.name), stand_in)
    pods = list(_future_pods(found.values())) if files_only else []
    estate = Estate([*found.values(), *pods], config, now or datetime.now(UTC))
    return Survey(estate, tuple(skipped), kept)


def _subject(document: Document, namespace: str, selection: Selection) -> Subject | Skipped:
    raw = document.raw
    kind, name = text(raw, "kind"), text(raw, "metadata", "name")
    info = kind_of(text(raw, "apiVersion"), kind)
    if info is None:
        return Skipped(f"{kind or 'a document'} {name}".strip(), "of a kind that is not analysed")
    space = (text(raw, "metadata", "namespace") or namespace) if info.namespaced else ""
    home = name if info.key == "Namespace" else space
    if home in NEVER_READ:
        return Skipped(f"{kind} {space}/{name}", f"namespace {home} is never read")
    unread = selection.reason(info.key, texts(raw, "metadata", "labels"))
    if unread:
        return Skipped(f"{kind} {space}/{name}", unread)
    decoded = decode(raw, document.origin, namespace)
    judged = [finding_of(problem, document, (info.key, space, name)) for problem in decoded.problems]
    if decoded.object is not None:
        own = validate(decoded.object)
        judged += [replace_line(finding, document.line_of(finding.field)) for finding in own]
    origin = document.origin if document.origin.file else None
    told = tuple(finding for finding in judged if finding.code != codes.NO_EFFECT)
    body = decoded.object.body if decoded.object is not None else readable_body(raw, info)
    return Subject(info.key, space, name, raw, body, told, origin)


def _mesh_subjects(subject: Subject, document: Document) -> tuple[MeshReading, list[Subject]]:
    """The mesh config inside its ConfigMap, and the networks beside it, as objects of their own."""
    reading = read_mesh(subject.body) if subject.body is not None else MeshReading(decode_mesh(None)[0])
    own: list[Finding] = []
    networks: list[Finding] = []
    for problem in reading.problems:
        if problem.path.startswith(f"data.{NETWORKS_KEY}"):
            networks.append(finding_of(problem, document, _NETWORKS))
        else:
            finding = finding_of(problem, document, _MESH)
            own.append(replace_line(finding, line_inside(document, reading, problem.path)))
    parts = [Subject(*_MESH, reading.raw, None, tuple(own), subject.origin)]
    written = parse(text(subject.raw, "data", NETWORKS_KEY)).documents
    raw = written[0].raw if written else {}
    if networks or raw:
        parts.append(Subject(*_NETWORKS, raw=raw, judged=tuple(networks), origin=subject.origin))
    return reading, parts


def _stand_ins(found: Mapping[Key, Subject], gateway: bool) -> Iterator[Subject]:
    """What every installation has and files do not say: the ingress gateway, and the webhook that injects."""
    if gateway:
        yield _made(_GATEWAY_POD)
        yield _made(_GATEWAY_SERVICE)
    if not any(kind == "MutatingWebhookConfiguration" for kind, _, _ in found):
        yield _made(_INJECTOR)


def _made(raw: Mapping[str, Any]) -> Subject:
    return Subject(text(raw, "kind"), text(raw, "metadata", "namespace"), text(raw, "metadata", "name"), raw)


def _future_pods(subjects: Iterable[Subject]) -> Iterator[Subject]:
    """One pod for each controller that would have any, so that what selects its pods finds one."""
    for subject in subjects:
        if subject.kind not in _CONTROLLERS or at(subject.raw, "spec", "replicas") == 0:
            continue
        template = block(subject.raw, "spec", "template")
        head = {part: texts(template, "metadata", part) for part in ("labels", "annotations")}
        raw = {"kind": "Pod", "metadata": head, "spec": block(template, "spec")}
        yield Subject("Pod", subject.namespace, f"{subject.name}-0", raw, virtual=True)


_GATEWAY_POD = {
    "kind": "Pod",
    "metadata": {
        "name": "istio-ingressgateway-dummypod",
        "namespace": SYSTEM,
        "labels": {"istio": "ingressgateway"},
    },
    "spec": {"containers": [{"name": "istio-proxy"}]},
}
_GATEWAY_SERVICE = {
    "kind": "Service",
    "metadata": {"name": "istio-ingressgateway", "namespace": SYSTEM, "labels": {"istio": "ingressgateway"}},
    "spec": {
        "selector": {"istio": "ingressgateway"},
        "ports": [
            {"protocol": "TCP", "port": port, "targetPort": target}
            for port, target in ((80, 8080), (443, 8443), (31400, 31400), (15443, 15443))
        ],
    },
}


def _needs(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _hook(name: str, space: list[dict[str, Any]], pod: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": f"{name}.sidecar-injector.istio.io",
        "clientConfig": {"url": "https://istiod.istio-system.svc/inject"},
        "namespaceSelector": {"matchExpressions": space},
        "objectSelector": {"matchExpressions": pod},
    }


_INJECT, _INJECTION, _REVISION = "sidecar.istio.io/inject", "istio-injection", "istio.io/rev"
_NOT_REFUSED = _needs(_INJECT, "NotIn", "false")
_NO_REVISION, _UNSAID = _needs(_REVISION, "DoesNotExist"), _needs(_INJECTION, "DoesNotExist")
_INJECTOR: dict[str, Any] = {
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "istio-sidecar-injector"},
    "webhooks": [
        _hook("namespace", [_needs(_INJECTION, "In", "enabled")], [_NOT_REFUSED]),
        _hook("object", [_UNSAID, _NO_REVISION], [_needs(_INJECT, "In", "true"), _NO_REVISION]),
        _hook("rev.namespace", [_needs(_REVISION, "In", "default"), _UNSAID], [_NOT_REFUSED]),
        _hook("rev.object", [_NO_REVISION, _UNSAID], [_NOT_REFUSED, _needs(_REVISION, "In", "default")]),
    ],
}
"""Which pods the installation's own injection takes (row IJ-01)."""


def mesh_text(written: str) -> Mapping[str, Any]:
    """Mesh config from a file of its own, or from a ConfigMap that holds it. Raises ValueError where it is neither."""
    loaded = parse(written)
    if loaded.findings:
        raise ValueError(loaded.findings[0].message)
    raw: Mapping[str, Any] = loaded.documents[0].raw if loaded.documents else {}
    return mesh_text(text(raw, "data", "mesh")) if text(raw, "kind") == "ConfigMap" else raw
