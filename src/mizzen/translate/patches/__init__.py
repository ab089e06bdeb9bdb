"""EnvoyFilter patches, applied last to the resources of a view (section 1.8, rows EF-*).

A patch that fails is left out, alone: what it would have changed stays as it was, and its outcome says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envoy.config.core.v3 import extension_pb2

from mizzen.model.finding import Finding, Level, about
from mizzen.model.proxy import ProxyType
from mizzen.model.resources import (
    CLUSTER,
    EXTENSION_CONFIG,
    LISTENER,
    ROUTE,
    PatchOutcome,
    PatchStatus,
    Resource,
    ResourceSet,
)
from mizzen.model.view import ProxyView
from mizzen.translate.messages import resource
from mizzen.translate.patches import clusters, listeners, routes
from mizzen.translate.patches.change import Change

REFUSED = "MZ0301"


def apply(base: ResourceSet, view: ProxyView) -> ResourceSet:
    """``base`` with the patches of ``view``, and what became of each. Resources that no patch hits stay the same objects."""
    changes = [Change(patch) for patch in view.patches.patches]
    router = view.scope.proxy_type is ProxyType.ROUTER
    ports = view.scope.gateway_ports
    found = [
        *clusters.patched(base.get(CLUSTER), changes, router=router),
        *listeners.patched(base.get(LISTENER), changes, router=router),
        *routes.patched(base.get(ROUTE), changes, router=router, ports=ports),
        *_extensions(changes),
    ]
    touched = (CLUSTER, LISTENER, ROUTE)
    rest = [r for kind, held in base.types.items() if kind not in touched for r in held.values()]
    outcomes = tuple(change.outcome() for change in changes)
    made = ResourceSet.of([*rest, *found])
    return ResourceSet(made.types, outcomes, (*base.findings, *_findings(view, outcomes)))


def _findings(view: ProxyView, outcomes: Iterable[PatchOutcome]) -> Iterator[Finding]:
    """A finding for every patch that was refused."""
    owners = {(p.owner.namespace, p.owner.name): p.owner for p in view.patches.patches}
    for outcome in outcomes:
        owner = owners.get((outcome.namespace, outcome.name))
        if outcome.status is PatchStatus.REFUSED and owner is not None:
            text = f"this patch is left out: {outcome.reason}"
            yield about(owner, REFUSED, Level.ERROR, text, f"spec.configPatches[{outcome.index}]")


def _extensions(changes: list[Change]) -> Iterator[Resource]:
    """EXTENSION_CONFIG: served by name to a filter that asks for it (row EF-07)."""
    for change in changes:
        if change.apply_to == "EXTENSION_CONFIG" and change.operation == "ADD":
            value = change.value(extension_pb2.TypedExtensionConfig)
            if value is not None:
                change.applied()
                yield resource(EXTENSION_CONFIG, value.name, value)
