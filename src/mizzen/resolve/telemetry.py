"""Which Telemetry objects are in force on a proxy, and what is to be told of them (rows TM-01, TM-12, CM-05)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.api.telemetry import Telemetry
from mizzen.model.config import ObjectKey
from mizzen.model.finding import Finding, Level
from mizzen.model.provider import Logger, Tracer
from mizzen.model.proxy import Proxy
from mizzen.model.snapshot import Snapshot
from mizzen.resolve import problems
from mizzen.resolve.policies import selects
from mizzen.resolve.providers import Found

UNKNOWN_PROVIDER = "MZ0402"
NO_SELECTOR = "IST0160"
PROMETHEUS = "prometheus"


def telemetries(objects: Mapping[ObjectKey, Object]) -> Mapping[str, tuple[Object, ...]]:
    """By namespace, the oldest first."""
    found: dict[str, list[Object]] = {}
    for obj in sorted(objects.values(), key=lambda o: o.age_key):
        found.setdefault(obj.namespace, []).append(obj)
    return {namespace: tuple(group) for namespace, group in found.items()}


def applicable(snapshot: Snapshot, proxy: Proxy) -> tuple[Object, ...]:
    """From wide to narrow: the root namespace's, the proxy's namespace's, then those that select it, oldest first.

    One with a selector in the root namespace reaches only pods of that namespace (row CM-05).
    """
    if not snapshot.telemetries:
        return ()
    root, own = snapshot.mesh.root_namespace, snapshot.telemetries.get(proxy.namespace, ())
    levels = [next(filter(_is_wide, snapshot.telemetries.get(root, ())), None)]
    if proxy.namespace != root:
        levels.append(next(filter(_is_wide, own), None))
    features = snapshot.config.features
    narrow = (obj for obj in own if not _is_wide(obj) and selects(obj, proxy.namespace, proxy.labels, features))
    return (*(obj for obj in levels if obj is not None), *narrow)


def _is_wide(obj: Object) -> bool:
    body: Telemetry = obj.body
    targeted = body.target_ref is not None or bool(body.target_refs)
    return not targeted and (body.selector is None or not body.selector.match_labels)


def is_prometheus(mesh: MeshConfig, name: str) -> bool:
    """Whether metrics of the provider ``name`` are the ones that Prometheus scrapes (row TM-06)."""
    declared = _declared(mesh, name)
    return "prometheus" in declared if declared is not None else name.lower() == PROMETHEUS


def _declared(mesh: MeshConfig, name: str) -> dict[str, Any] | None:
    fitting = (raw for raw in mesh.extension_providers if str(raw.get("name", "")).lower() == name.lower())
    return next(fitting, None)


def telemetry_findings(
    by_namespace: Mapping[str, tuple[Object, ...]], mesh: MeshConfig, found: Found
) -> tuple[Finding, ...]:
    """Names that lead to no provider that can be used for the section (row TM-12), and objects that an older one hides."""
    findings: list[Finding] = []
    for group in by_namespace.values():
        wide = [obj for obj in group if _is_wide(obj)]
        for obj in wide[1:]:
            what = f"no effect: {wide[0].name} is older and for the whole namespace, too"
            findings.append(problems.about(obj, NO_SELECTOR, Level.WARNING, what, "spec.selector"))
        for obj in group:
            findings.extend(_of_one(obj, mesh, found))
    return tuple(findings)


def _of_one(obj: Object, mesh: MeshConfig, found: Found) -> Iterator[Finding]:
    body: Telemetry = obj.body
    sections: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("tracing", body.tracing),
        ("accessLogging", body.access_logging),
        ("metrics", body.metrics),
    )
    for section, entries in sections:
        for index, entry in enumerate(entries):
            for place, provider in enumerate(entry.providers):
                wrong = _wrong(section, provider.name, mesh, found)
                if wrong:
                    field = f"spec.{section}[{index}].providers[{place}].name"
                    yield problems.about(obj, UNKNOWN_PROVIDER, Level.WARNING, wrong, field)


def _wrong(section: str, name: str, mesh: MeshConfig, found: Found) -> str:
    """Why this section can do nothing with the provider ``name``."""
    provider = found.get(name.lower())
    if section == "metrics":
        if is_prometheus(mesh, name):
            return ""
        known = provider is not None or _declared(mesh, name) is not None or name == "stackdriver"
        return f"metrics go to Prometheus alone; {name!r} gets none" if known else _missing(name)
    if isinstance(provider, Tracer if section == "tracing" else Logger):
        return ""
    if isinstance(provider, str):
        return f"cannot be used: {provider}"
    return f"{name!r} is no provider for {section}" if provider or _declared(mesh, name) else _missing(name)


def _missing(name: str) -> str:
    return f"no extension provider {name!r} is defined in the mesh config"
