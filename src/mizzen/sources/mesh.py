"""Mesh config: the key ``mesh`` of the ConfigMap ``istio`` in ``istio-system``, as text inside an object (row MC-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mizzen.api.decode import Problem, decode_mesh, decode_mesh_networks
from mizzen.api.kubernetes import ConfigMap
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.mesh_networks import MeshNetworks
from mizzen.api.reader import child
from mizzen.check.mesh_config import notes_on
from mizzen.check.mesh_networks import notes_on_networks
from mizzen.sources.files import Document, parse

NAMESPACE, NAME, KEY, NETWORKS_KEY = "istio-system", "istio", "mesh", "meshNetworks"


@dataclass(frozen=True)
class MeshReading:
    """The mesh config, and what was wrong with it. ``inner`` is the text's own document, for lines inside it.

    ``networks`` is None where the ConfigMap does not speak of them; ``networks_broken``: it does, and what it says must
    not take the place of what was good (row MC-30).
    """

    config: MeshConfig
    raw: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    inner: Document | None = None
    networks: MeshNetworks | None = None

    @property
    def broken(self) -> bool:
        """Whether it must not take the place of one that was good (row MC-01)."""
        return any(problem.fatal for problem in self.problems if not _is_networks(problem))

    @property
    def networks_broken(self) -> bool:
        return any(problem.fatal for problem in self.problems if _is_networks(problem))


def map_names(revision: str = "default", shared: str = "") -> tuple[str, ...]:
    """The ConfigMaps to read, the weaker first: the shared one, then ``istio`` or ``istio-<revision>``."""
    own = NAME if revision in ("", "default") else f"{NAME}-{revision}"
    return (shared, own) if shared and shared != own else (own,)


def is_mesh_config(kind: str, namespace: str, name: str, names: tuple[str, ...] = (NAME,)) -> bool:
    return (kind, namespace) == ("ConfigMap", NAMESPACE) and name in names


_MERGED = ("defaultConfig", "defaultProviders")


def joined(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """``upper`` over ``lower``: a field replaces the other whole, but a few are merged (row MC-01)."""
    found = {**lower, **upper}
    for name in _MERGED:
        if isinstance(lower.get(name), Mapping) and isinstance(upper.get(name), Mapping):
            found[name] = {**lower[name], **upper[name]}
    both = [config.get("defaultConfig") or {} for config in (lower, upper)]
    if all(isinstance(block, Mapping) and isinstance(block.get("proxyMetadata"), Mapping) for block in both):
        found["defaultConfig"]["proxyMetadata"] = {**both[0]["proxyMetadata"], **both[1]["proxyMetadata"]}
    if providers := _providers(lower, upper):
        found["extensionProviders"] = providers
    if aliases := [*_list(lower, "trustDomainAliases"), *_list(upper, "trustDomainAliases")]:
        found["trustDomainAliases"] = list(dict.fromkeys(aliases))
    return found


def _providers(*configs: Mapping[str, Any]) -> list[Any]:
    every = [item for config in configs for item in _list(config, "extensionProviders")]
    return list({str(item.get("name")) if isinstance(item, Mapping) else str(item): item for item in every}.values())


def _list(config: Mapping[str, Any], name: str) -> list[Any]:
    value = config.get(name)
    return value if isinstance(value, list) else []


def read_mesh(body: ConfigMap) -> MeshReading:
    """Defaults with what the ConfigMap says. A bad field keeps its default; text that is no YAML leaves all of them.

    Problem paths begin with ``data.mesh`` or ``data.meshNetworks``.
    """
    networks, faults = _networks(body)
    inner, unreadable = _document(body, KEY)
    if unreadable is not None:
        return MeshReading(MeshConfig(), problems=(unreadable, *faults), networks=networks)
    if inner is None:
        return MeshReading(MeshConfig(), problems=faults, networks=networks)
    config, problems = decode_mesh(inner.raw)
    raw = inner.raw if isinstance(inner.raw, Mapping) else {}
    below = tuple(_below(problem, KEY) for problem in (*problems, *notes_on(config)))
    return MeshReading(config, raw, (*below, *faults), inner, networks)


def _document(body: ConfigMap, key: str) -> tuple[Document | None, Problem | None]:
    """The YAML under ``key``, None where there is none; or why it cannot be read."""
    loaded = parse(body.data.get(key, ""))
    if loaded.findings:
        first = loaded.findings[0]
        message = f"line {first.line} of the text: {first.message}; what was in force stays"
        return None, Problem(path=f"data.{key}", message=message)
    return (loaded.documents[0] if loaded.documents else None), None


def _networks(body: ConfigMap) -> tuple[MeshNetworks | None, tuple[Problem, ...]]:
    """What the ConfigMap says of networks, and what is wrong with it (row MC-30)."""
    if NETWORKS_KEY not in body.data:
        return None, ()
    inner, unreadable = _document(body, NETWORKS_KEY)
    if unreadable is not None:
        return None, (unreadable,)
    found, problems = decode_mesh_networks(inner.raw if inner is not None else None)
    notes = tuple(_below(problem, NETWORKS_KEY) for problem in (*problems, *notes_on_networks(found)))
    return found, notes


def _is_networks(problem: Problem) -> bool:
    return problem.path.startswith(f"data.{NETWORKS_KEY}")


def _below(problem: Problem, key: str) -> Problem:
    path = f"data.{key}"
    if problem.path:
        path = f"{path}.{problem.path}" if not problem.path.startswith("[") else path + problem.path
    return Problem(path=path, message=problem.message, fatal=problem.fatal, code=problem.code)


def line_inside(document: Document, reading: MeshReading, path: str) -> int:
    """The line, in the user's own file, of a field of the mesh config written as a block of text (``mesh: |``)."""
    if path.startswith(f"data.{NETWORKS_KEY}"):
        return document.line_of(child("data", NETWORKS_KEY))
    outer = document.line_of(child("data", KEY))
    if reading.inner is None or outer == 0:
        return outer
    return outer + reading.inner.line_of(path.removeprefix(f"data.{KEY}").removeprefix("."))
