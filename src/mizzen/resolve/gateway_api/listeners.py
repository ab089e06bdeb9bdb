"""Listeners of Gateways and ListenerSets, judged, and the internal Gateways that they become (rows GA-07, GA-11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mizzen.api.gateway import Gateway as InternalGateway
from mizzen.api.gateway import Port, Server, ServerTLSSettings
from mizzen.api.gateway_api import GROUP, Listener, RouteKind
from mizzen.api.meta import Object, ObjectMeta
from mizzen.model import generated
from mizzen.resolve.gateway_api.classes import Deployment, Served, account_of
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.listener_tls import ListenerSecurity, security
from mizzen.resolve.gateway_api.world import World

_TLS = ("HTTPS", "TLS")
_KINDS = {"HTTP": ("HTTPRoute", "GRPCRoute"), "HTTPS": ("HTTPRoute", "GRPCRoute"), "TCP": ("TCPRoute",)}
_NUMBERS = {"HTTP": 80, "HTTPS": 443, "TLS": 443}
"""Ports of listeners of a ListenerSet that name none."""
_MISSING_TLS = Problem("InvalidCertificateRef", "a listener of this protocol needs a tls section")


@dataclass(frozen=True)
class BoundListener:
    """A listener of a Gateway, or of a ListenerSet that has joined it (``owner``), with what became of it.

    ``namespaces`` are those whose routes may attach, ``*`` for all. ``resolved``, ``accepted`` and ``conflicted`` say why
    a condition does not hold; ``server`` is None when nothing is served.
    """

    served: Served
    owner: Object
    index: int
    listener: Listener
    port: int
    namespaces: tuple[str, ...]
    kinds: tuple[RouteKind, ...]
    resolved: Problem | None = None
    accepted: Problem | None = None
    conflicted: Problem | None = None
    server: Server | None = None
    insecure: bool = False

    @property
    def hostname(self) -> str:
        return self.listener.hostname or "*"

    @property
    def name(self) -> str:
        """The name of the internal Gateway."""
        return f"{self.owner.name}{generated.INFIX}~{self.listener.name}"

    @property
    def key(self) -> str:
        """The internal Gateway as VirtualServices name it."""
        return f"{self.owner.namespace}/{self.name}"

    @property
    def takes_routes(self) -> bool:
        return self.accepted is None and self.conflicted is None

    def object(self) -> Object | None:
        """The internal Gateway, or None when nothing is served or nobody is there to serve it."""
        if self.server is None or not self.takes_routes or not self.served.services:
            return None
        gateway, owner = self.served.gateway, self.owner
        kind = owner.kind.partition(".")[0]
        annotations = {
            generated.GATEWAY_SEMANTICS: generated.GATEWAY,
            generated.SERVICES: ",".join(self.served.services),
            generated.ACCOUNT: account_of(gateway) if self.served.deployment is Deployment.AUTOMATIC else "",
            generated.PARENTS: f"{kind}/{owner.name}/{self.listener.name}.{owner.namespace}",
        }
        meta = ObjectMeta(
            name=self.name,
            namespace=owner.namespace,
            annotations=annotations,
            creation_timestamp=gateway.meta.creation_timestamp,
        )
        body = InternalGateway(servers=(self.server,))
        return Object(kind="Gateway", meta=meta, body=body, origin=owner.origin)


def listeners(served: Served, sets: Iterable[Object], world: World) -> list[BoundListener]:
    """Those of the Gateway in their order, then those of its ListenerSets, the oldest set first; the first wins a place."""
    every = [_bound(served, served.gateway, i, entry, world) for i, entry in enumerate(served.gateway.body.listeners)]
    for obj in sets:
        every += [_bound(served, obj, i, entry, world) for i, entry in enumerate(obj.body.listeners)]
    return _without_conflicts(every)


def _bound(served: Served, owner: Object, index: int, listener: Listener, world: World) -> BoundListener:
    allowed = listener.allowed_routes
    namespaces = world.namespaces(allowed.namespaces if allowed else None, owner.namespace)
    kinds, foreign = _supported(listener)
    port = listener.port or (_NUMBERS.get(listener.protocol, 0) if owner is not served.gateway else 0)
    bound = BoundListener(served, owner, index, listener, port, tuple(namespaces), kinds, resolved=foreign)
    if not _possible(listener):
        text = f"protocol {listener.protocol!r} is none of HTTP, HTTPS, TLS and TCP"
        return replace(bound, accepted=Problem("UnsupportedProtocol", text))
    if listener.protocol not in _TLS:
        return replace(bound, server=_server(bound, None))
    if listener.tls is None:
        return replace(bound, resolved=foreign or _MISSING_TLS)
    made: ListenerSecurity = security(owner, served.gateway, listener.tls, port, world)
    bound = replace(bound, resolved=made.resolved or foreign, accepted=made.accepted, insecure=made.insecure)
    return replace(bound, server=_server(bound, made.settings)) if made.settings is not None else bound


def _possible(listener: Listener) -> bool:
    return listener.protocol in (*_KINDS, "TLS")


def _supported(listener: Listener) -> tuple[tuple[RouteKind, ...], Problem | None]:
    """The kinds of route that may attach, and what is wrong with those that the listener names (row GA-07)."""
    ends = listener.tls is None or listener.tls.mode != "Passthrough"
    possible = ("TLSRoute", *(("TCPRoute",) if ends else ())) if listener.protocol == "TLS" else ()
    possible = possible or _KINDS.get(listener.protocol, ())
    written = listener.allowed_routes.kinds if listener.allowed_routes is not None else ()
    if not written:
        return tuple(RouteKind(kind=kind) for kind in possible), None
    good = tuple(k for k in written if k.group == GROUP and k.kind in possible)
    bad = [k.kind for k in written if k not in good]
    problem = Problem(
        "InvalidRouteKinds", f"{', '.join(bad)} cannot attach to a listener of protocol {listener.protocol}"
    )
    return good, problem if bad else None


def _server(bound: BoundListener, tls: ServerTLSSettings | None) -> Server:
    port = Port(number=bound.port, protocol=bound.listener.protocol, name="default")
    hosts = tuple(f"{namespace}/{bound.hostname}" for namespace in bound.namespaces) or (f"~/{bound.hostname}",)
    return Server(port=port, hosts=hosts, tls=tls)


def _without_conflicts(every: list[BoundListener]) -> list[BoundListener]:
    """Each with its conflict, if an earlier one on the port has its place. What is not accepted takes no place."""
    taken: dict[int, list[BoundListener]] = {}
    found = []
    for bound in every:
        conflict = None
        if bound.accepted is None:
            held = taken.setdefault(bound.port, [])
            conflict = next((c for other in held if (c := _conflict(bound, other)) is not None), None)
            if conflict is None:
                held.append(bound)
        found.append(replace(bound, conflicted=conflict) if conflict is not None else bound)
    return found


def _conflict(bound: BoundListener, other: BoundListener) -> Problem | None:
    one, two = bound.listener.protocol, other.listener.protocol
    where = f"listener {other.listener.name!r} of {other.owner.name} has port {bound.port}"
    if "TCP" in (one, two):
        return Problem("ProtocolConflict", f"{where} with protocol {two}")
    if bound.hostname != other.hostname:
        return None
    reason = "HostnameConflict" if one == two else "ProtocolConflict"
    return Problem(reason, f"{where} with protocol {two} and host {other.hostname}")
