"""Which Gateways are ours, and the Services that lead to their proxies (rows GA-02, GA-03, GA-05)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mizzen.api.gateway_api import Gateway
from mizzen.api.meta import Object
from mizzen.model.features import GatewayApi
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.world import World

KIND = "Gateway.gateway.networking.k8s.io"
NAME_OVERRIDE = "gateway.istio.io/name-override"
SERVICE_ACCOUNT = "gateway.istio.io/service-account"
CONTROLLER = "istio.io/gateway-controller"
UNMANAGED = "istio.io/unmanaged-gateway"
AMBIENT = frozenset({"istio-waypoint", "istio-east-west", "istio-agentgateway"})


class Deployment(StrEnum):
    AUTOMATIC = "automatic"
    MANUAL = "manual"
    """The Gateway names Services that exist already."""
    REMOTE = "remote"
    """Only told of: another cluster has it (row GA-22)."""


@dataclass(frozen=True)
class Served:
    """A Gateway of ours. ``services`` are the hostnames of the Services that lead to its proxies; ``problem`` is what keeps
    its addresses from being used."""

    gateway: Object
    deployment: Deployment
    services: tuple[str, ...]
    problem: Problem | None = None


def built_in(options: GatewayApi) -> dict[str, str]:
    """Classes that work even while their object is missing, each with its controller."""
    return {options.default_class: CONTROLLER, "istio-remote": UNMANAGED}


def controller_of(name: str, world: World) -> str:
    """The controller of a class: what its object says, else the built-in one; empty for nobody we know."""
    found = world.of("GatewayClass").get(("", name))
    return str(found.body.controller_name) if found is not None else built_in(world.options).get(name, "")


def deployment_of(body: Gateway, controller: str, options: GatewayApi) -> Deployment:
    """More than one address, or one that is a host name, means that the proxies are there already (row GA-05)."""
    if controller == UNMANAGED:
        return Deployment.REMOTE
    many = len(body.addresses) > 1
    if not options.manual:
        return Deployment.AUTOMATIC
    return Deployment.MANUAL if many or any(a.type == "Hostname" for a in body.addresses) else Deployment.AUTOMATIC


def own_name(gateway: Object) -> str:
    """The name of the Deployment, the Service and the ServiceAccount of a Gateway (row GA-03)."""
    default = f"{gateway.name}-{gateway.body.gateway_class_name}"
    return gateway.meta.annotations.get(NAME_OVERRIDE) or default


def account_of(gateway: Object) -> str:
    """The service account of the proxies of a Gateway that is deployed."""
    return gateway.meta.annotations.get(SERVICE_ACCOUNT) or own_name(gateway)


def served(world: World) -> list[Served]:
    """Every Gateway of a class of ours, the oldest first."""
    found = []
    for gateway in world.aged(KIND):
        controller = controller_of(gateway.body.gateway_class_name, world)
        if controller in (CONTROLLER, UNMANAGED):
            found.append(_served(gateway, deployment_of(gateway.body, controller, world.options), world))
    return found


def _served(gateway: Object, deployment: Deployment, world: World) -> Served:
    if deployment is Deployment.REMOTE:
        return Served(gateway, deployment, ())
    if deployment is Deployment.AUTOMATIC:
        return Served(gateway, deployment, (world.hostname(own_name(gateway), gateway.namespace),))
    names: list[str] = []
    problem: Problem | None = None
    for address in gateway.body.addresses:
        if address.type != "Hostname":
            problem = Problem("UnsupportedAddress", f"an address of type {address.type} does not go with host names")
            continue
        full = address.value if "." in address.value else world.hostname(address.value, gateway.namespace)
        services = world.hosts.get(full, ())
        if not any(service.namespace == gateway.namespace for service in services):
            problem = Problem("AddressNotUsable", f"there is no Service {full} in namespace {gateway.namespace}")
            continue
        names.append(full)
    return Served(gateway, deployment, tuple(names), problem)
