"""What happens to an object before it is stored: decoding, validation, injection. As an API server with our webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mizzen.api.decode import decode
from mizzen.api.kubernetes import ConfigMap
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object, Origin
from mizzen.check import validate
from mizzen.inject import InjectNamespace, InjectSettings, inject
from mizzen.lab import workloads
from mizzen.lab.machines import is_machine
from mizzen.lab.store import Store, key_of
from mizzen.model.finding import Finding, Level
from mizzen.model.locality import NETWORK
from mizzen.sources.mesh import MeshReading, read_mesh

Raw = dict[str, Any]
APPLIED = "lab.mizzen.io/applied"
"""Annotation of a user's Pod: the hash of what was applied, because what is stored was injected."""


class Admission:
    """``warn`` takes texts for the supervisor's list of warnings; ``cluster_id`` is what pods say that they are in."""

    def __init__(self, store: Store, warn: Callable[[str], None], cluster_id: str = "Kubernetes") -> None:
        self._store = store
        self._warn = warn
        self._cluster_id = cluster_id
        self._mesh: tuple[Raw | None, MeshConfig] = (None, MeshConfig())

    def mesh(self) -> MeshConfig:
        """The ConfigMap ``istio`` as it is now; one with an error leaves what was in force (row MC-01)."""
        raw = self._store.get("ConfigMap", "istio-system", "istio")
        if raw is not self._mesh[0]:
            found = decode(raw).object if raw else None
            body = found.body if found is not None else None
            reading = read_mesh(body) if isinstance(body, ConfigMap) else MeshReading(MeshConfig())
            kept = reading.broken and self._mesh[0] is not None
            self._mesh = (raw, self._mesh[1] if kept else reading.config)
        return self._mesh[1]

    def _proxy_configs(self) -> tuple[Object, ...]:
        decoded = (decode(raw).object for raw in self._store.list("ProxyConfig"))
        return tuple(obj for obj in decoded if obj is not None)

    def settings(self) -> InjectSettings:
        """What injection goes by at the moment."""
        mesh = self.mesh()
        return InjectSettings(
            mesh=mesh,
            proxy_configs=self._proxy_configs(),
            cluster_id=self._cluster_id,
            network=self._labels(mesh.root_namespace).get(NETWORK, ""),
        )

    def findings(self, raw: Raw, origin: dict[str, Any] | None) -> list[Finding]:
        """Everything that is wrong with a document; an error among them refuses it."""
        place = Origin(str(origin.get("file", "")), int(origin.get("line") or 0)) if origin else None
        decoded = decode(raw, place)
        found = [
            Finding(
                code=getattr(problem, "code", "") or "MZ0001",
                level=Level.ERROR if problem.fatal else Level.WARNING,
                message=problem.message,
                kind=decoded.kind,
                namespace=decoded.namespace,
                name=decoded.name,
                field=problem.path,
                file=place.file if place else "",
                line=place.line if place else 0,
            )
            for problem in decoded.problems
        ]
        return found + (validate(decoded.object) if decoded.object is not None else [])

    def inject(self, pod: Raw) -> Raw:
        """The pod as the webhook would return it. One that injection refuses is stored as it is, and says why."""
        if is_machine(pod):
            return pod
        namespace = pod["metadata"]["namespace"]
        labels = self._labels(namespace)
        done = inject(
            pod,
            InjectNamespace(namespace, labels),
            self.settings(),
        )
        for finding in (*done.warnings, *done.errors):
            self._warn(str(finding))
        if done.errors:
            refused = "; ".join(finding.message for finding in done.errors)
            return {**pod, "status": {"phase": "Failed", "reason": "InjectionRefused", "message": refused}}
        return done.pod

    def _labels(self, namespace: str) -> dict[str, str]:
        return ((self._store.get("Namespace", "", namespace) or {}).get("metadata") or {}).get("labels") or {}

    def prepare(self, raw: Raw) -> Raw:
        """The object as it will be stored: a user's Pod gets its defaults, sidecar and mark."""
        if raw.get("kind") != "Pod":
            return raw
        mark = workloads.short_hash({name: value for name, value in raw.items() if name != "status"})
        _, namespace, name = key_of(raw)
        old = self._store.get("Pod", namespace, name)
        if old is not None and (old["metadata"].get("annotations") or {}).get(APPLIED) == mark:
            return old
        meta = {**raw["metadata"], "namespace": namespace}
        meta["annotations"] = {**(meta.get("annotations") or {}), APPLIED: mark}
        return self.inject(workloads.with_defaults({**raw, "metadata": meta, "spec": dict(raw.get("spec") or {})}))
