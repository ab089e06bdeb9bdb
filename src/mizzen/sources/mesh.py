"""Mesh config: the key ``mesh`` of the ConfigMap ``istio`` in ``istio-system``, as text inside an object. Rows MC-*."""

from __future__ import annotations

from dataclasses import dataclass

from mizzen.api.decode import Problem, decode_mesh
from mizzen.api.kubernetes import ConfigMap
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.reader import child
from mizzen.sources.files import Document, parse

NAMESPACE, NAME, KEY = "istio-system", "istio", "mesh"


@dataclass(frozen=True)
class MeshReading:
    """The mesh config, and what was wrong with it. ``inner`` is the text's own document, for lines inside it."""

    config: MeshConfig
    problems: tuple[Problem, ...] = ()
    inner: Document | None = None


def is_mesh_config(kind: str, namespace: str, name: str) -> bool:
    return (kind, namespace, name) == ("ConfigMap", NAMESPACE, NAME)


def read_mesh(body: ConfigMap) -> MeshReading:
    """Defaults with what the ConfigMap says. A bad field keeps its default; text that is no YAML leaves all of them.

    Problem paths begin with ``data.mesh``.
    """
    text = body.data.get(KEY, "")
    loaded = parse(text)
    if loaded.findings:
        first = loaded.findings[0]
        message = f"line {first.line} of the mesh config: {first.message}; all defaults are kept"
        return MeshReading(MeshConfig(), (Problem(path=f"data.{KEY}", message=message),))
    if not loaded.documents:
        return MeshReading(MeshConfig())
    inner = loaded.documents[0]
    config, problems = decode_mesh(inner.raw)
    return MeshReading(config, tuple(_below(problem) for problem in problems), inner)


def _below(problem: Problem) -> Problem:
    path = f"data.{KEY}"
    if problem.path:
        path = f"{path}.{problem.path}" if not problem.path.startswith("[") else path + problem.path
    return Problem(path=path, message=problem.message, fatal=problem.fatal, code=problem.code)


def line_inside(document: Document, reading: MeshReading, path: str) -> int:
    """The line, in the user's own file, of a field of the mesh config written as a block of text (``mesh: |``)."""
    outer = document.line_of(child("data", KEY))
    if reading.inner is None or outer == 0:
        return outer
    return outer + reading.inner.line_of(path.removeprefix(f"data.{KEY}").removeprefix("."))
