"""The status of every object of the Gateway API, without the times of changes (rows GA-19, GA-20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mizzen.api import kubernetes as k8s
from mizzen.api.gateway_api import GROUP, ParentReference
from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.hosts import is_address
from mizzen.resolve.gateway_api.attachment import Attachment
from mizzen.resolve.gateway_api.backend_tls import Attached
from mizzen.resolve.gateway_api.classes import CONTROLLER, KIND, UNMANAGED, Deployment, Served
from mizzen.resolve.gateway_api.conditions import Condition, Problem
from mizzen.resolve.gateway_api.convert import Generated
from mizzen.resolve.gateway_api.listener_tls import certificate_problem
from mizzen.resolve.gateway_api.listeners import BoundListener
from mizzen.resolve.gateway_api.world import World

Json = dict[str, Any]
Key = tuple[str, str, str]
"""Kind, namespace and name."""
_MOST_ANCESTORS = 16
_ADDRESS_TYPE = "networking.istio.io/address-type"


def class_status(generation: int = 1) -> Json:
    """Of a GatewayClass of ours."""
    return {"conditions": [Condition("Accepted").of(generation)]}


def class_statuses(classes: Mapping[ObjectKey, Object]) -> dict[Key, Json]:
    """Of every class of ours, also while no Gateway is of it."""
    ours = [obj for obj in classes.values() if obj.body.controller_name in (CONTROLLER, UNMANAGED)]
    return {(obj.kind, "", obj.name): class_status(obj.meta.generation) for obj in ours}


def statuses(
    made: Generated,
    services: Mapping[ObjectKey, Object],
    invalid: Mapping[ObjectKey, Problem],
) -> dict[Key, Json]:
    """By object. ``services`` are Kubernetes' own; ``invalid`` the Gateways whose parameters cannot be used."""
    world = made.world
    if world is None:
        return {}
    found = class_statuses(world.of("GatewayClass"))
    attached = _attached(made)
    for item in made.served:
        place = (item.gateway.namespace, item.gateway.name)
        found[(KIND, *place)] = _gateway(item, made, services, invalid.get(place), attached)
    for joined in made.sets:
        obj = joined.object
        own = made.listeners.get(("ListenerSet", obj.namespace, obj.name), ())
        found[(obj.kind, obj.namespace, obj.name)] = _listener_set(obj, joined.problem, own, attached)
    for policy in {id(item.policy): item.policy for item in made.policies}.values():
        found[(policy.kind, policy.namespace, policy.name)] = {"ancestors": _ancestors(policy, made)}
    for routed in made.routes:
        parents = [_parent(routed.route, a, routed.problem) for a in routed.attachments]
        found[(routed.route.kind, routed.route.namespace, routed.route.name)] = {"parents": parents}
    return found


def _attached(made: Generated) -> dict[tuple[int, str], int]:
    """How many routes each listener has, by its owner's identity and its name."""
    found: dict[tuple[int, str], int] = {}
    for routed in made.routes:
        places = {
            (id(place.listener.owner), place.listener.listener.name)
            for attachment in routed.attachments
            for place in attachment.places
        }
        for place in places:
            found[place] = found.get(place, 0) + 1
    return found


def _gateway(
    item: Served,
    made: Generated,
    services: Mapping[ObjectKey, Object],
    invalid: Problem | None,
    attached: Mapping[tuple[int, str], int],
) -> Json:
    gateway = item.gateway
    own = made.listeners.get(("Gateway", gateway.namespace, gateway.name), ())
    generation = gateway.meta.generation
    addresses, unprogrammed = _addresses(item, services)
    accepted = Condition("Accepted", invalid)
    bad = [bound for bound in own if not bound.takes_routes]
    if invalid is None and item.problem is not None and item.problem.reason == "UnsupportedAddress":
        accepted = Condition("Accepted", item.problem)
    elif invalid is None and bad:
        text = Problem(
            "ListenersNotValid", f"listeners that cannot be served: {', '.join(b.listener.name for b in bad)}"
        )
        accepted = Condition("Accepted", text) if len(bad) == len(own) else Condition("Accepted", good=text.reason)
    conditions = [accepted, Condition("Programmed", item.problem or unprogrammed), _references(gateway, made)]
    if any(bound.insecure for bound in own):
        conditions.append(Condition("InsecureFrontendValidationMode", good="ConfigurationChanged"))
    sets = sum(1 for joined in made.sets if joined.gateway is gateway and joined.problem is None)
    status: Json = {
        "addresses": addresses,
        "conditions": [condition.of(generation) for condition in conditions],
        "listeners": [_listener(bound, generation, attached) for bound in own],
    }
    return {**status, "attachedListenerSets": sets} if sets else status


def _references(gateway: Object, made: Generated) -> Condition:
    """The certificate for backends is looked at, although nothing uses it (row GA-10)."""
    backend = gateway.body.backend_tls or (gateway.body.tls.backend if gateway.body.tls is not None else None)
    ref = backend.client_certificate_ref if backend is not None else None
    problem = certificate_problem(gateway, ref, made.world) if ref is not None and made.world is not None else None
    if problem is not None and problem.reason == "InvalidCertificateRef":
        problem = Problem("InvalidClientCertificateRef", problem.message)
    return Condition("ResolvedRefs", problem)


def _addresses(item: Served, services: Mapping[ObjectKey, Object]) -> tuple[list[Json], Problem | None]:
    """Where the Gateway can be reached, and why it cannot."""
    gateway = item.gateway
    if item.deployment is Deployment.REMOTE:
        return [{"type": a.type, "value": a.value} for a in gateway.body.addresses], None
    found: list[str] = []
    for hostname in item.services:
        name, namespace = hostname.split(".")[:2]
        service = services.get((namespace, name))
        if service is None:
            return [], Problem("AddressNotUsable", f"there is no Service {hostname}")
        missing = _missing_ports(gateway, service.body)
        if missing and item.deployment is Deployment.MANUAL:
            return [], Problem("AddressNotUsable", f"Service {hostname} has no port {', '.join(map(str, missing))}")
        found += _of_service(service.body, hostname)
    if not found:
        return [], Problem("AddressNotAssigned", "no Service of the Gateway has an address yet")
    wanted = gateway.meta.annotations.get(_ADDRESS_TYPE, "")
    entries = [
        {"type": "IPAddress" if is_address(text) else "Hostname", "value": text} for text in dict.fromkeys(found)
    ]
    return [entry for entry in entries if not wanted or entry["type"] == wanted] or entries, None


def _missing_ports(gateway: Object, service: k8s.Service) -> list[int]:
    have = {port.port for port in service.spec.ports}
    return sorted({entry.port for entry in gateway.body.listeners} - have)


def _of_service(service: k8s.Service, hostname: str) -> list[str]:
    """The load balancer's addresses or names, else the Service's own name."""
    if service.spec.type != "LoadBalancer":
        return [hostname]
    return [text for entry in service.balancer for text in entry if text]


def _listener(bound: BoundListener, generation: int, attached: Mapping[tuple[int, str], int]) -> Json:
    accepted = bound.accepted or bound.conflicted
    invalid = accepted or (bound.resolved if bound.server is None else None)
    programmed = Problem("Invalid", invalid.message) if invalid is not None else None
    conditions = [
        Condition("Accepted", accepted),
        Condition("Conflicted", bound.conflicted, good="NoConflicts", negative=True),
        Condition("Programmed", bound.conflicted or programmed),
        Condition("ResolvedRefs", bound.resolved),
    ]
    return {
        "name": bound.listener.name,
        "attachedRoutes": attached.get((id(bound.owner), bound.listener.name), 0),
        "supportedKinds": [{"group": kind.group, "kind": kind.kind} for kind in bound.kinds],
        "conditions": [condition.of(generation) for condition in conditions],
    }


def _listener_set(
    obj: Object, problem: Problem | None, own: Iterable[BoundListener], attached: Mapping[tuple[int, str], int]
) -> Json:
    own = tuple(own)
    if problem is None and not any(bound.takes_routes and bound.server is not None for bound in own):
        problem = Problem("ListenersNotValid", "none of the listeners can be served")
    generation = obj.meta.generation
    return {
        "conditions": [Condition(name, problem).of(generation) for name in ("Accepted", "Programmed")],
        "listeners": [_listener(bound, generation, attached) for bound in own],
    }


def _ancestors(policy: Object, made: Generated) -> list[Json]:
    """Each target of a policy, and each Gateway with a route that leads there (row GA-15)."""
    found: list[Json] = []
    gateways: dict[tuple[str, str], Attached] = {}
    for item in made.policies:
        if item.policy is policy:
            reference = {"group": item.target.group, "kind": item.target.kind, "name": item.target.name}
            if item.target.section_name:
                reference["sectionName"] = item.target.section_name
            found.append(_ancestor(reference, "istio.io/mesh-controller", item))
            gateways |= dict.fromkeys(_leading_to(item.hosts, made), item)
    for (namespace, name), item in gateways.items():
        reference = {"group": GROUP, "kind": "Gateway", "namespace": namespace, "name": name}
        found.append(_ancestor(reference, CONTROLLER, item))
    return found[:_MOST_ANCESTORS]


def _ancestor(reference: Json, controller: str, item: Attached) -> Json:
    conditions = [Condition("Accepted", item.accepted), Condition("ResolvedRefs", item.resolved)]
    generation = item.policy.meta.generation
    return {
        "ancestorRef": reference,
        "controllerName": controller,
        "conditions": [condition.of(generation) for condition in conditions],
    }


def _leading_to(hosts: tuple[str, ...], made: Generated) -> list[tuple[str, str]]:
    """The Gateways whose routes have a backend among ``hosts``."""
    found = []
    for routed in made.routes:
        if made.world is not None and _backends(routed.route, made.world) & set(hosts):
            gateways = (p.listener.served.gateway for a in routed.attachments for p in a.places)
            found += [(gateway.namespace, gateway.name) for gateway in gateways]
    return list(dict.fromkeys(found))


def _backends(route: Object, world: World) -> set[str]:
    refs = (ref for rule in route.body.rules for ref in rule.backend_refs if ref.kind in ("Service", "Hostname"))
    return {
        ref.name if ref.kind == "Hostname" else world.hostname(ref.name, ref.namespace or route.namespace)
        for ref in refs
    }


def _parent(route: Object, attachment: Attachment, problem: Problem | None) -> Json:
    """One entry of ``status.parents``. What is wrong with a rule or its backends is told under ResolvedRefs."""
    conditions = [Condition("Accepted", attachment.problem), Condition("ResolvedRefs", problem)]
    return {
        "parentRef": _reference(attachment.ref),
        "controllerName": CONTROLLER,
        "conditions": [condition.of(route.meta.generation) for condition in conditions],
    }


def _reference(ref: ParentReference) -> Json:
    written: Json = {"group": ref.group, "kind": ref.kind, "name": ref.name}
    optional = {"namespace": ref.namespace, "sectionName": ref.section_name, "port": ref.port}
    return written | {name: value for name, value in optional.items() if value}
