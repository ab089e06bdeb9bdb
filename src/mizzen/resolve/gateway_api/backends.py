"""Where a backendRef leads, or why it leads nowhere (rows GA-12, GA-14, GA-20)."""

from __future__ import annotations

from dataclasses import dataclass

from mizzen.api.gateway_routes import BackendRef
from mizzen.api.match import PortSelector
from mizzen.api.meta import Object
from mizzen.api.virtual_service import Destination
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.world import World

NOWHERE = Destination()
"""A destination that no cluster has: its share of the requests answers 500."""


class Hard(Exception):
    """What takes all rules of a route out of force."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(reason, message)


@dataclass(frozen=True)
class Target:
    destination: Destination
    problem: Problem | None = None


def target(route: Object, ref: BackendRef, world: World, *, mesh: bool) -> Target:
    """Where ``ref`` of ``route`` leads. ``mesh``: the route's parent is a Service, which needs no grant (row GA-23).

    Raises Hard for what no cluster could ever be made of.
    """
    kind = (ref.group, ref.kind)
    namespace = ref.namespace or route.namespace
    if kind == ("networking.istio.io", "Hostname"):
        if ref.namespace:
            raise Hard("InvalidDestination", "a backend of kind Hostname has no namespace")
        return _known(ref.name, ref, world)
    if kind != ("", "Service"):
        return Target(NOWHERE, Problem("InvalidKind", f"{ref.group or 'core'} {ref.kind} is no backend that we know"))
    if "." in ref.name:
        raise Hard("InvalidDestination", f"{ref.name!r} is no name of a Service: write the name, not the host name")
    granted = mesh or world.grants.permits(route.kind, route.namespace, kind, namespace, ref.name)
    if not granted:
        text = f"no ReferenceGrant of namespace {namespace} lets a {route.kind} of {route.namespace} name {ref.name}"
        return Target(NOWHERE, Problem("RefNotPermitted", text))
    return _known(world.hostname(ref.name, namespace), ref, world)


def _known(hostname: str, ref: BackendRef, world: World) -> Target:
    if not ref.port:
        raise Hard("InvalidDestination", "a backend needs a port")
    if not world.hosts.get(hostname):
        missing = Problem("BackendNotFound", f"there is no service {hostname}")
        return Target(_destination(hostname, ref), missing)
    return Target(_destination(hostname, ref))


def _destination(hostname: str, ref: BackendRef) -> Destination:
    return Destination(host=hostname, port=PortSelector(number=ref.port))
