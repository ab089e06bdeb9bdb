"""All objects of the Gateway API together: what they become, and what is to be told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.features import GatewayApi
from mizzen.model.finding import Finding, Level
from mizzen.model.service import Service
from mizzen.resolve import problems
from mizzen.resolve.gateway_api.attachment import EVERY, Listeners, attachments
from mizzen.resolve.gateway_api.backend_tls import Attached, attached, destination_rules
from mizzen.resolve.gateway_api.classes import AMBIENT, KIND, Served, served
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.grants import grants
from mizzen.resolve.gateway_api.listener_sets import Joined, joined
from mizzen.resolve.gateway_api.listeners import BoundListener, listeners
from mizzen.resolve.gateway_api.virtual_services import Routed, virtual_services
from mizzen.resolve.gateway_api.world import World

ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
KINDS = (KIND, "GatewayClass", *ROUTES, "ReferenceGrant", "ListenerSet", "BackendTLSPolicy")
"""Without an object of these there is nothing to do."""
REFERRED = ("Namespace", "Secret", "ConfigMap", "ServiceEntry")
"""Kinds that these refer to, beside services."""
UNUSABLE = "MZ0311"
"""A part of an object of the Gateway API that has no effect because of what it refers to."""

Objects = Mapping[ObjectKey, Object]


@dataclass(frozen=True)
class Generated:
    """What the objects of the Gateway API stand for, and what their status is made of."""

    gateways: Objects = field(default_factory=dict)
    virtual_services: Objects = field(default_factory=dict)
    destination_rules: Objects = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    served: tuple[Served, ...] = ()
    listeners: Listeners = field(default_factory=dict)
    sets: tuple[Joined, ...] = ()
    routes: tuple[Routed, ...] = ()
    policies: tuple[Attached, ...] = ()
    world: World | None = None


NOTHING = Generated()
_DEFAULTS = GatewayApi()
_ALWAYS_THERE = "GatewayClass"
"""Says nothing while no Gateway is of the class."""


def generated(
    objects: Mapping[str, Objects],
    hosts: Mapping[str, tuple[Service, ...]],
    domain: str,
    options: GatewayApi = _DEFAULTS,
) -> Generated:
    """``objects`` by kind: those of :data:`KINDS` and :data:`REFERRED`. What leads nowhere is a finding; the rest stays."""
    if not options.enabled or not any(objects.get(kind) for kind in KINDS if kind != _ALWAYS_THERE):
        return NOTHING
    world = World(objects, hosts, grants((objects.get("ReferenceGrant") or {}).values()), domain, options)
    ours = served(world)
    sets = joined(ours, world)
    bound = _bound(ours, sets, world)
    routed = [
        Routed(route, attachments(route, bound, world))
        for route in sorted((o for kind in ROUTES for o in world.of(kind).values()), key=lambda o: o.age_key)
    ]
    made = virtual_services(routed, world)
    every = [listener for key, found in bound.items() if key[0] == EVERY for listener in found]
    gateways = [obj for listener in every if (obj := listener.object()) is not None]
    policies = attached(world)
    rules = destination_rules(policies, world)
    return Generated(
        gateways={(o.namespace, o.name): o for o in gateways},
        virtual_services={(o.namespace, o.name): o for o in made},
        destination_rules={(o.namespace, o.name): o for o in rules},
        findings=(*_of_gateways(world, every, sets), *_of_routes(routed), *_of_policies(policies)),
        served=tuple(ours),
        listeners=bound,
        sets=tuple(sets),
        routes=tuple(routed),
        policies=tuple(policies),
        world=world,
    )


def _bound(
    ours: list[Served], sets: list[Joined], world: World
) -> dict[tuple[str, str, str], tuple[BoundListener, ...]]:
    """Every listener, by its owner, and all of a Gateway's together under :data:`EVERY`."""
    found: dict[tuple[str, str, str], tuple[BoundListener, ...]] = {}
    for item in ours:
        gateway = item.gateway
        mine = [s.object for s in sets if s.gateway is gateway and s.problem is None]
        every = listeners(item, mine, world)
        found[(EVERY, gateway.namespace, gateway.name)] = tuple(every)
        for owner in (gateway, *mine):
            kind = owner.kind.partition(".")[0]
            found[(kind, owner.namespace, owner.name)] = tuple(b for b in every if b.owner is owner)
    return found


def _of_gateways(world: World, every: list[BoundListener], sets: list[Joined]) -> list[Finding]:
    found = []
    for gateway in world.aged(KIND):
        if gateway.body.gateway_class_name in AMBIENT:
            text = f"a Gateway of class {gateway.body.gateway_class_name} belongs to ambient mode and has no effect"
            found.append(problems.about(gateway, problems.NO_EFFECT, Level.WARNING, text, "spec.gatewayClassName"))
    for bound in every:
        for problem in (bound.accepted, bound.conflicted, bound.resolved):
            if problem is not None:
                found.append(_unusable(bound.owner, problem, f"spec.listeners[{bound.index}]"))
    found += [_unusable(item.object, item.problem, "spec.parentRef") for item in sets if item.problem is not None]
    return found


def _of_routes(routed: list[Routed]) -> list[Finding]:
    found = []
    for item in routed:
        for index, ref in enumerate(item.route.body.parent_refs):
            for attachment in item.attachments:
                if attachment.ref is ref and attachment.problem is not None:
                    found.append(_unusable(item.route, attachment.problem, f"spec.parentRefs[{index}]"))
        if item.problem is not None:
            found.append(_unusable(item.route, item.problem, "spec.rules"))
    return found


def _of_policies(policies: list[Attached]) -> list[Finding]:
    return [
        _unusable(item.policy, problem, f"spec.targetRefs[{item.index}]")
        for item in policies
        if (problem := item.accepted or item.resolved) is not None
    ]


def _unusable(obj: Object, problem: Problem, path: str) -> Finding:
    return problems.about(obj, UNUSABLE, Level.WARNING, f"{problem.reason}: {problem.message}", path)
