"""Which listeners and which services of the mesh a route attaches to (rows GA-07, GA-12, GA-23, GF-10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mizzen.api.gateway_api import GROUP, ParentReference
from mizzen.api.meta import Object
from mizzen.model.hosts import overlap
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.listeners import BoundListener
from mizzen.resolve.gateway_api.world import SERVICES, World

Listeners = Mapping[tuple[str, str, str], tuple[BoundListener, ...]]
"""By kind, namespace and name of the Gateway or ListenerSet that has them."""
EVERY = "*"
"""In place of a kind: the listeners of a Gateway with those of all its ListenerSets."""


@dataclass(frozen=True)
class Place:
    """A listener with the hosts that the route has there."""

    listener: BoundListener
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Attachment:
    """What became of one parentRef: ``places`` on a gateway, or ``mesh_hosts`` of a service; ``problem`` when nothing did."""

    ref: ParentReference
    places: tuple[Place, ...] = ()
    mesh_hosts: tuple[str, ...] = ()
    problem: Problem | None = None


def attachments(route: Object, listeners: Listeners, world: World) -> list[Attachment]:
    """One for each parentRef that is a concern of ours."""
    found = (attach(route, ref, listeners, world) for ref in route.body.parent_refs)
    return [attachment for attachment in found if attachment is not None]


def attach(route: Object, ref: ParentReference, listeners: Listeners, world: World) -> Attachment | None:
    """None when the parent is not ours, or unknown: then it gets no entry in the status (row GA-19)."""
    namespace = ref.namespace or route.namespace
    if (ref.group, ref.kind) in SERVICES:
        return _to_mesh(ref, namespace, world)
    if ref.group != GROUP or ref.kind not in ("Gateway", "ListenerSet"):
        return None
    every = listeners.get((ref.kind, namespace, ref.name))
    return _to_listeners(route, ref, every, listeners) if every is not None else None


def _to_mesh(ref: ParentReference, namespace: str, world: World) -> Attachment | None:
    known = world.known_hosts(ref.kind, ref.name, namespace)
    if not known:
        return Attachment(ref, problem=Problem("NoMatchingParent", f"there is no {ref.kind} {namespace}/{ref.name}"))
    if ref.port and all(s.port(ref.port) is None for host in known for s in world.hosts[host]):
        return Attachment(ref, problem=Problem("NoMatchingParent", f"{ref.kind} {ref.name} has no port {ref.port}"))
    return Attachment(ref, mesh_hosts=known)


def _to_listeners(
    route: Object, ref: ParentReference, every: Iterable[BoundListener], listeners: Listeners
) -> Attachment:
    """One good listener is enough; else the reason of the last stage that any listener reached."""
    places: list[Place] = []
    reasons: list[tuple[int, Problem]] = []
    for listener in every:
        if ref.section_name and ref.section_name != listener.listener.name:
            continue
        if ref.port and ref.port != listener.port:
            continue
        hosts = _hosts(route, listener)
        stage = _refusal(route, listener, hosts)
        if stage is not None:
            reasons.append(stage)
        else:
            gateway = listener.served.gateway
            others = listeners.get((EVERY, gateway.namespace, gateway.name), ())
            places.append(Place(listener, tuple(h for h in hosts if not _isolated(h, listener, others))))
    if places:
        return Attachment(ref, places=tuple(places))
    what = f"section {ref.section_name!r}" if ref.section_name else f"port {ref.port}"
    nothing = (0, Problem("NoMatchingParent", f"{ref.kind} {ref.name} has no listener for {what}"))
    return Attachment(ref, problem=max([nothing, *reasons], key=lambda reason: reason[0])[1])


def _refusal(route: Object, bound: BoundListener, hosts: list[str]) -> tuple[int, Problem] | None:
    """Why the listener does not take the route with these hosts, and how far it got: its kind, hosts, then namespace."""
    name = bound.listener.name
    if route.kind not in {kind.kind for kind in bound.kinds}:
        return 1, Problem("NotAllowedByListeners", f"listener {name!r} takes no {route.kind}")
    if not hosts:
        text = f"no host name of the route fits listener {name!r} ({bound.hostname})"
        return 2, Problem("NoMatchingListenerHostname", text)
    if "*" not in bound.namespaces and route.namespace not in bound.namespaces:
        return 3, Problem("NotAllowedByListeners", f"listener {name!r} takes no routes of namespace {route.namespace}")
    return None


def _hosts(route: Object, bound: BoundListener) -> list[str]:
    """The hosts of the route on this listener, each the narrower of what the two say."""
    if route.kind == "TCPRoute":
        return ["*"]
    written = [host.lower() for host in route.body.hostnames] or ["*"]
    narrow = (overlap(host, bound.hostname.lower()) for host in written)
    return list(dict.fromkeys(host for host in narrow if host is not None))


def _isolated(host: str, bound: BoundListener, every: Iterable[BoundListener]) -> bool:
    """Whether a more specific listener of the port and protocol has ``host`` for itself (row GA-07)."""
    for other in every:
        if other is bound or not other.takes_routes or other.port != bound.port:
            continue
        same = other.listener.protocol == bound.listener.protocol
        narrower = other.hostname != bound.hostname and overlap(other.hostname, bound.hostname) == other.hostname
        if same and narrower and overlap(host, other.hostname) == host:
            return True
    return False
