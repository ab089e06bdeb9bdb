"""ListenerSets: listeners that another object adds to a Gateway that allows it (row GA-11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mizzen.api.gateway_api import GROUP, ParentReference
from mizzen.api.meta import Object
from mizzen.resolve.gateway_api.classes import Deployment, Served
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.world import World


@dataclass(frozen=True)
class Joined:
    """A ListenerSet whose parent is a Gateway of ours; ``problem`` when that does not take it."""

    object: Object
    gateway: Object
    problem: Problem | None = None


def joined(served: Iterable[Served], world: World) -> list[Joined]:
    """The ListenerSets of all Gateways of ours, the oldest first."""
    gateways = {(item.gateway.namespace, item.gateway.name): item for item in served}
    found = []
    for obj in world.aged("ListenerSet"):
        ref: ParentReference | None = obj.body.parent_ref
        if ref is None or (ref.group, ref.kind) != (GROUP, "Gateway"):
            continue
        item = gateways.get((ref.namespace or obj.namespace, ref.name))
        if item is not None:
            found.append(Joined(obj, item.gateway, _refusal(obj, item, world)))
    return found


def _refusal(obj: Object, item: Served, world: World) -> Problem | None:
    if item.deployment is Deployment.REMOTE:
        return Problem("NotAllowed", f"class {item.gateway.body.gateway_class_name} takes no ListenerSets")
    allowed = item.gateway.body.allowed_listeners
    names = world.namespaces(allowed.namespaces if allowed is not None else None, item.gateway.namespace, "None")
    if "*" in names or obj.namespace in names:
        return None
    return Problem("NotAllowed", f"Gateway {item.gateway.name} takes no ListenerSets of namespace {obj.namespace}")
