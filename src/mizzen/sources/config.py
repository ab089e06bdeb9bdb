"""Documents become a :class:`~mizzen.model.config.Config`: decoded, validated, the refused ones left out or, if they
are security policies, replaced by a denial.

One broken object never disturbs another; it is a finding with file and line. The same documents in any order give the
same Config, and an object that did not change stays the same object, so that nothing behind it is built again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from msgspec.structs import replace as with_fields

from mizzen.api.decode import Decoded, Problem, decode, decode_mesh
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.mesh_networks import MeshNetworks
from mizzen.api.meta import Object
from mizzen.check import codes, refused, validate
from mizzen.model.closed import REFUSED_POLICY
from mizzen.model.config import Config
from mizzen.model.finding import Finding, Level, about
from mizzen.sources.closed import stand_in
from mizzen.sources.files import Document
from mizzen.sources.mesh import NAME, NAMESPACE, MeshReading, is_mesh_config, joined, line_inside, read_mesh
from mizzen.sources.selection import EVERYTHING, Selection

Key = tuple[str, str, str]
"""(kind, namespace, name)."""
_DENIES = "wherever this policy is in force, all that it selects is refused until it is valid"


@dataclass(frozen=True, eq=False)
class Judged:
    """One document after decoding and validation. ``object`` is None when it has no effect or is refused; what stands in
    for it then, if it is a security policy."""

    key: Key
    document: Document
    object: Object | None
    findings: tuple[Finding, ...]
    mesh: MeshReading | None = None

    @property
    def refused(self) -> bool:
        return any(finding.level is Level.ERROR for finding in self.findings)


def judge(document: Document, namespace: str = "default", mesh_maps: tuple[str, ...] = (NAME,)) -> Judged:
    """Decode and validate one document. ``apply`` refuses exactly what this refuses.

    ``namespace`` is that of objects which name none, ``mesh_maps`` the names of the ConfigMaps with mesh config. Findings carry the line of their own field.
    """
    decoded = decode(document.raw, document.origin, namespace)
    named = (decoded.kind, decoded.namespace, decoded.name)
    findings = [finding_of(problem, document, named) for problem in decoded.problems]
    obj, mesh = decoded.object, None
    if obj is not None:
        own = validate(obj)
        findings += [replace_line(finding, document.line_of(finding.field)) for finding in own]
        if is_mesh_config(obj.kind, obj.namespace, obj.name, mesh_maps):
            mesh = read_mesh(obj.body)
            for problem in mesh.problems:
                line = line_inside(document, mesh, problem.path)
                findings.append(replace_line(finding_of(problem, document, named), line))
        if refused(own) or _without_effect(decoded):
            obj = None
    if obj is None and (denial := stand_in(decoded.kind, document.raw, document.origin, namespace)) is not None:
        obj = denial
        findings.append(about(denial, REFUSED_POLICY, Level.WARNING, _DENIES))
    # What has no name is told from another without one by where it is written.
    key = (decoded.kind, decoded.namespace, decoded.name or f"{document.origin.file}:{document.origin.line}")
    return Judged(key, document, obj, tuple(findings), mesh)


def config_of(
    documents: Iterable[Document],
    findings: Iterable[Finding] = (),
    *,
    revision: int = 0,
    namespace: str = "default",
    domain: str = "cluster.local",
    cluster_id: str = "Kubernetes",
) -> Config:
    """The Config of a set of documents. ``findings``: those of reading the files.

    An object given twice counts as the last one, with a warning.
    """
    assembly = Assembly(domain=domain, cluster_id=cluster_id)
    extra = list(findings)
    for document in documents:
        judged = judge(document, namespace)
        before = assembly.judged.get(judged.key)
        if before is not None and before.document.raw != document.raw:
            extra.append(_defined_again(before, document))
        assembly.put(judged)
    config = assembly.config(revision)
    return replace(config, findings=tuple(sorted({*config.findings, *extra})))


class Assembly:
    """The objects of the moment, from which Configs are cut; used by one task only."""

    def __init__(
        self,
        domain: str = "cluster.local",
        cluster_id: str = "Kubernetes",
        mesh_maps: tuple[str, ...] = (NAME,),
        environment: Mapping[str, str] | None = None,
        selection: Selection = EVERYTHING,
    ) -> None:
        self._selection = selection
        self.judged: dict[Key, Judged] = {}
        self.mesh_maps = mesh_maps
        self._config = Config(domain=domain, cluster_id=cluster_id, environment=environment or {})
        self._good: tuple[Mapping[str, Any], ...] = ()
        self._changed: set[Key] = set()

    def put(self, judged: Judged) -> None:
        """Add or replace an object. An equal one is kept as it is."""
        before = self.judged.get(judged.key)
        same = before is not None and before.document.raw == judged.document.raw
        if same and before is not None and before.document.origin == judged.document.origin:
            return
        self.judged[judged.key] = self._read(judged)
        self._changed.add(judged.key)

    def _read(self, judged: Judged) -> Judged:
        """Without its object when this control plane does not read it; that is told."""
        obj = judged.object
        reason = self._selection.reason(judged.key[0], obj.meta.labels) if obj is not None else ""
        if obj is None or not reason:
            return judged
        return replace(judged, object=None, findings=(*judged.findings, about(obj, codes.NOT_READ, Level.INFO, reason)))

    def remove(self, key: Key) -> None:
        if self.judged.pop(key, None) is not None:
            self._changed.add(key)

    def keep_only(self, keys: set[Key]) -> None:
        """Remove what is not in ``keys``: after a new listing."""
        for key in [key for key in self.judged if key not in keys]:
            self.remove(key)

    def config(self, revision: int) -> Config:
        """A Config of everything put so far. Kinds that did not change are shared with the one before."""
        if self._changed:
            self._config = self._with_changes()
            self._changed.clear()
        self._config = replace(self._config, revision=revision)
        return self._config

    def _with_changes(self) -> Config:
        put: list[Object] = []
        gone: list[tuple[str, tuple[str, str]]] = []
        for key in sorted(self._changed):
            kind, name = key[0], (key[1], key[2])
            judged = self.judged.get(key)
            if judged is not None and judged.object is not None:
                put.append(judged.object)
            elif name in self._config.of(kind):
                gone.append((kind, name))
        config = self._config.with_objects(put, gone)
        objects = _in_order(config, {key[0] for key in self._changed})
        return replace(config, objects=objects, mesh=self._mesh(), networks=self._networks(), findings=self._findings())

    def _mesh(self) -> MeshConfig:
        """The mesh config in force, the same object while it says the same.

        One with an error does not take the place of a good one. At start there is none, so its good fields count. Of
        two ConfigMaps a broken one is skipped (row MC-01).
        """
        readings = self._readings()
        good = [reading for reading in readings if not reading.broken]
        if not good and readings and self._good:
            raws = self._good
        else:
            raws = tuple(reading.raw for reading in good or readings)
        if good:
            self._good = raws
        elif not readings:
            self._good = ()
        nothing: Mapping[str, Any] = {}
        found = decode_mesh(reduce(joined, raws, nothing))[0]
        return self._config.mesh if found == self._config.mesh else found

    def _networks(self) -> MeshNetworks:
        """Those of the first ConfigMap that speaks of networks; with an error in them what was in force stays (MC-30)."""
        told = [reading for reading in self._readings() if reading.networks is not None or reading.networks_broken]
        if told and told[0].networks_broken:
            return self._config.networks
        found = told[0].networks if told else None
        found = found or MeshNetworks()
        return self._config.networks if found == self._config.networks else found

    def _readings(self) -> list[MeshReading]:
        keys = [("ConfigMap", NAMESPACE, name) for name in self.mesh_maps]
        return [j.mesh for key in keys if (j := self.judged.get(key)) is not None and j.mesh is not None]

    def _findings(self) -> tuple[Finding, ...]:
        return tuple(sorted({finding for judged in self.judged.values() for finding in judged.findings}))


def replace_line(finding: Finding, line: int) -> Finding:
    """The same finding at another line; 0 keeps the one it has."""
    return with_fields(finding, line=line) if line else finding


def _in_order(config: Config, kinds: set[str]) -> dict[str, Any]:
    """The changed kinds sorted by namespace and name, so that the order of arrival leaves no trace."""
    return {
        kind: dict(sorted(objects.items())) if kind in kinds else objects
        for kind, objects in sorted(config.objects.items())
        if objects
    }


def finding_of(problem: Problem, document: Document, named: Key) -> Finding:
    """What is wrong with the object called ``named`` in ``document``, at the line of the field."""
    kind, namespace, name = named
    return Finding(
        code=problem.code,
        level=Level.ERROR if problem.fatal else Level.WARNING,
        message=problem.message,
        kind=kind,
        namespace=namespace,
        name=name,
        field=problem.path,
        file=document.origin.file,
        line=document.line_of(problem.path),
    )


def _without_effect(decoded: Decoded) -> bool:
    return any(problem.code == codes.NO_EFFECT for problem in decoded.problems)


def _defined_again(before: Judged, document: Document) -> Finding:
    kind, namespace, name = before.key
    first = before.document.origin
    return Finding(
        code=codes.DUPLICATE,
        level=Level.WARNING,
        message=f"defined before at {first.file}:{first.line}; this one counts",
        kind=kind,
        namespace=namespace,
        name=name,
        file=document.origin.file,
        line=document.origin.line,
    )
