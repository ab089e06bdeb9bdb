"""VirtualServices that routes of the Gateway API become (rows GA-12, GA-20, GA-23)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mizzen.api.gateway_routes import L4RouteRule
from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.virtual_service import (
    L4MatchAttributes,
    RouteDestination,
    TCPRoute,
    TLSMatchAttributes,
    TLSRoute,
    VirtualService,
)
from mizzen.model import generated
from mizzen.resolve.gateway_api import rules
from mizzen.resolve.gateway_api.attachment import Attachment
from mizzen.resolve.gateway_api.backends import NOWHERE, Hard, target
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.listeners import BoundListener
from mizzen.resolve.gateway_api.rules import Converted, Ranked
from mizzen.resolve.gateway_api.world import World

HTTP = {"HTTPRoute": rules.http, "GRPCRoute": rules.grpc}
MESH = "mesh"


@dataclass
class Routed:
    """One route, its attachments, and what is wrong with its backends (None: all of them are there)."""

    route: Object
    attachments: list[Attachment]
    problem: Problem | None = None


@dataclass
class _Draft:
    """A VirtualService in the making, of the routes that share a place and a host. ``private``: for one namespace only."""

    name: str
    gateway: str
    host: str
    private: bool = False
    owners: list[Object] = field(default_factory=list)
    http: list[Ranked] = field(default_factory=list)
    tls: list[TLSRoute] = field(default_factory=list)
    tcp: list[TCPRoute] = field(default_factory=list)

    def object(self) -> Object:
        oldest = min(self.owners, key=lambda o: o.age_key)
        parents = ",".join(f"{o.kind}/{o.name}.{o.namespace}" for o in sorted(self.owners, key=lambda o: o.age_key))
        meta = ObjectMeta(
            name=self.name,
            namespace=oldest.namespace,
            annotations={generated.ROUTE_SEMANTICS: generated.GATEWAY, generated.PARENTS: parents},
            creation_timestamp=oldest.meta.creation_timestamp,
        )
        body = VirtualService(
            hosts=(self.host,),
            gateways=(self.gateway,),
            http=tuple(ranked.route for ranked in sorted(self.http, key=lambda r: r.rank)),
            tls=tuple(self.tls),
            tcp=tuple(self.tcp),
            export_to=(".",) if self.private else ("*",),
        )
        return Object(kind="VirtualService", meta=meta, body=body, origin=oldest.origin)


Drafts = dict[tuple[str, str, str], _Draft]


def virtual_services(routed: Iterable[Routed], world: World) -> list[Object]:
    """Those of all routes, the oldest route first; each route is told what is wrong with its backends."""
    drafts: Drafts = {}
    for item in routed:
        for attachment in item.attachments:
            if attachment.problem is None:
                _add(item, attachment, drafts, world)
        if item.problem is None:
            item.problem = _unattached(item, world)
    return [draft.object() for draft in drafts.values() if draft.http or draft.tls or draft.tcp]


def _unattached(item: Routed, world: World) -> Problem | None:
    """What is wrong with the backends of a route that attaches nowhere; its owner is told nevertheless."""
    if any(a.problem is None for a in item.attachments) or not item.attachments:
        return None
    if item.route.kind in HTTP:
        made = HTTP[item.route.kind](item.route, world, mesh=False)
        return made.hard or made.problem
    return next((_backends(item.route, rule, world, mesh=False)[1] for rule in item.route.body.rules), None)


def _add(item: Routed, attachment: Attachment, drafts: Drafts, world: World) -> None:
    route, mesh = item.route, bool(attachment.mesh_hosts)
    places = _mesh_places(route, attachment) if mesh else _gateway_places(attachment)
    port = attachment.ref.port if mesh else 0
    if route.kind in HTTP:
        made = HTTP[route.kind](route, world, mesh=mesh, port=port)
        item.problem = item.problem or made.hard or made.problem
        for key, draft in places:
            _join(drafts, key, draft, route).http += _new(made, drafts.get(key))
        return
    for rule in route.body.rules:
        destinations, problem = _backends(route, rule, world, mesh=mesh)
        item.problem = item.problem or problem
        if destinations:
            for key, draft in places:
                _l4(_join(drafts, key, draft, route), route, destinations, port, mesh)


def _new(made: Converted, draft: _Draft | None) -> list[Ranked]:
    """Those that the draft lacks: two parentRefs of a route may lead to one place."""
    known = {(ranked.rank, ranked.route.name) for ranked in draft.http} if draft is not None else set()
    return [ranked for ranked in made.routes if (ranked.rank, ranked.route.name) not in known]


def _join(drafts: Drafts, key: tuple[str, str, str], draft: _Draft, route: Object) -> _Draft:
    held = drafts.setdefault(key, draft)
    if route not in held.owners:
        held.owners.append(route)
    return held


Places = list[tuple[tuple[str, str, str], _Draft]]


def _gateway_places(attachment: Attachment) -> Places:
    """One for each listener that serves something and each host there."""
    found: Places = []
    for place in attachment.places:
        listener: BoundListener = place.listener
        for host in place.hosts if listener.object() is not None else ():
            name = f"{listener.owner.namespace}~{listener.name}~{host}"
            found.append(((listener.key, "", host), _Draft(name, listener.key, host)))
    return found


def _mesh_places(route: Object, attachment: Attachment) -> Places:
    """One for each host of the parent. A route beside its service is for all clients, another for those beside it."""
    producer = (attachment.ref.namespace or route.namespace) == route.namespace
    return [
        ((MESH, route.namespace, host), _Draft(f"{host}{generated.INFIX}", MESH, host, private=not producer))
        for host in attachment.mesh_hosts
    ]


def _backends(
    route: Object, rule: L4RouteRule, world: World, *, mesh: bool
) -> tuple[tuple[RouteDestination, ...], Problem | None]:
    """Where a rule of a TCPRoute or TLSRoute leads. Nowhere is a destination too: such connections are closed."""
    try:
        found = [(ref, target(route, ref, world, mesh=mesh)) for ref in rule.backend_refs]
    except Hard as error:
        return (), error.problem
    problem = next((leads.problem for _, leads in found if leads.problem is not None), None)
    kept = [
        RouteDestination(destination=leads.destination, weight=ref.weight) for ref, leads in found if ref.weight > 0
    ]
    return tuple(kept) or (RouteDestination(destination=NOWHERE, weight=1),), problem


def _l4(draft: _Draft, route: Object, destinations: tuple[RouteDestination, ...], port: int, mesh: bool) -> None:
    if route.kind == "TLSRoute":
        names = tuple(route.body.hostnames) if mesh and route.body.hostnames else (draft.host,)
        draft.tls.append(TLSRoute(match=(TLSMatchAttributes(sni_hosts=names, port=port),), route=destinations))
    else:
        match = (L4MatchAttributes(port=port),) if port else ()
        draft.tcp.append(TCPRoute(match=match, route=destinations))
