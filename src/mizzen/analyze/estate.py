"""What is analysed: every document of the mesh, as it was written and as it was understood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from mizzen.analyze.labels import LabelIndex
from mizzen.analyze.messages import MESSAGES
from mizzen.analyze.reading import Raw, texts
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Origin
from mizzen.model.finding import Finding

SYSTEM = "istio-system"
"""Istio's own namespace; several analyzers leave it out by this name, whatever the root namespace is."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One object. ``kind`` is the key in :data:`mizzen.api.kinds.KINDS`.

    ``body`` is what could be read of it, with the type of its kind; None when it is no map. ``judged`` is what its
    own validator said. ``virtual``: it stands for one that would be there and is never reported on, such as the pod of
    a Deployment.
    """

    kind: str
    namespace: str
    name: str
    raw: Raw = field(repr=False)
    body: Any = field(default=None, repr=False)
    judged: tuple[Finding, ...] = field(default=(), repr=False)
    origin: Origin | None = None
    cluster: str = ""
    virtual: bool = False

    @property
    def full_name(self) -> str:
        """``namespace/name``, or the name alone where there is no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @cached_property
    def labels(self) -> dict[str, str]:
        return texts(self.raw, "metadata", "labels")

    @cached_property
    def annotations(self) -> dict[str, str]:
        return texts(self.raw, "metadata", "annotations")

    def finding(self, code: str, field: str = "", **parameters: object) -> Finding:
        """A finding about this object. ``field`` is the path of the field whose line it carries."""
        message = MESSAGES[code]
        origin = self.origin
        return Finding(
            code=code,
            level=message.level,
            message=message.text.format(**parameters),
            kind=self.kind,
            namespace=self.namespace,
            name=self.name,
            field=field,
            file=origin.file if origin else "",
            line=origin.line if origin else 0,
        )


class Estate:
    """Every object, by kind, in the order in which they were read.

    ``mesh`` is the mesh config; ``now`` is what certificates are judged by. Pods that stand for the templates of
    controllers count wherever pods are selected. ``memo`` holds what several analyzers compute once, by name.
    """

    def __init__(
        self,
        subjects: Iterable[Subject],
        mesh: MeshConfig | None = None,
        now: datetime = datetime(1970, 1, 1, tzinfo=UTC),
    ) -> None:
        self.mesh = mesh or MeshConfig()
        self.now = now
        by_kind: dict[str, list[Subject]] = defaultdict(list)
        self._virtual: list[Subject] = []
        for subject in subjects:
            (self._virtual if subject.virtual else by_kind[subject.kind]).append(subject)
        self._by_kind: Mapping[str, list[Subject]] = dict(by_kind)
        self.memo: dict[str, object] = {}
        self._pod_indexes: dict[str | None, LabelIndex[Subject]] = {}

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of which there is an object."""
        return frozenset(self._by_kind)

    def of(self, kind: str) -> list[Subject]:
        """The objects of one kind that were written."""
        return self._by_kind.get(kind, [])

    def decoded(self, kind: str) -> list[Subject]:
        """The objects of one kind that could be decoded."""
        return [subject for subject in self.of(kind) if subject.body is not None]

    @cached_property
    def pods(self) -> list[Subject]:
        """Every pod that selectors may find."""
        return [*self.of("Pod"), *(subject for subject in self._virtual if subject.kind == "Pod")]

    @cached_property
    def pods_by_namespace(self) -> Mapping[str, list[Subject]]:
        found: dict[str, list[Subject]] = defaultdict(list)
        for pod in self.pods:
            found[pod.namespace].append(pod)
        return found

    def pods_with(self, selector: Mapping[str, str], namespace: str | None = None) -> list[Subject]:
        """The pods that ``selector`` finds, in every namespace or in one; an empty selector takes all."""
        if namespace not in self._pod_indexes:
            pods = self.pods if namespace is None else self.pods_by_namespace.get(namespace, [])
            self._pod_indexes[namespace] = LabelIndex((pod.labels, pod) for pod in pods)
        return self._pod_indexes[namespace].find(selector)

    @cached_property
    def namespaces(self) -> Mapping[str, Subject]:
        """The Namespace objects by name."""
        return {subject.name: subject for subject in self.of("Namespace")}

    def find(self, kind: str, namespace: str, name: str) -> Subject | None:
        """One object by its name."""
        return self._index.get((kind, namespace, name))

    @cached_property
    def _index(self) -> Mapping[tuple[str, str, str], Subject]:
        return {(s.kind, s.namespace, s.name): s for kind in self._by_kind.values() for s in kind}
