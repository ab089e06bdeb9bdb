"""What policies attach to by ``targetRefs``: a warning where that is nothing (rows CM-07, GA-21)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mizzen.api.gateway_api import GROUP
from mizzen.api.meta import Object, TargetRef
from mizzen.model.config import ObjectKey
from mizzen.model.finding import Finding, Level
from mizzen.resolve import problems

KINDS = (
    "AuthorizationPolicy",
    "RequestAuthentication",
    "Telemetry",
    "WasmPlugin",
    "TrafficExtension",
    "EnvoyFilter",
)
"""Kinds that may have ``targetRefs``."""
Objects = Mapping[ObjectKey, Object]


def target_findings(gateways: Objects, *policies: Objects) -> tuple[Finding, ...]:
    """One for each reference that reaches no proxy. ``gateways`` are those of the Gateway API; ``policies`` by kind."""
    return tuple(found for objects in policies for obj in objects.values() for found in _of(obj, gateways))


def _of(obj: Object, gateways: Objects) -> Iterator[Finding]:
    refs: list[tuple[str, TargetRef]] = []
    one: TargetRef | None = getattr(obj.body, "target_ref", None)
    if one is not None:
        refs.append(("spec.targetRef", one))
    refs += [(f"spec.targetRefs[{index}]", ref) for index, ref in enumerate(obj.body.target_refs)]
    for path, ref in refs:
        if (ref.group, ref.kind) != (GROUP, "Gateway"):
            text = f"a policy on a {ref.kind} is for waypoints of ambient mode, and has no effect"
            yield problems.about(obj, problems.NO_EFFECT, Level.WARNING, text, path)
        elif (obj.namespace, ref.name) not in gateways:
            yield problems.missing(obj, "gateway", ref.name, path)
