"""BackendTLSPolicies become DestinationRules: TLS to a backend that its clients, gateways and sidecars, begin (rows GA-15, GF-16)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mizzen.api.destination_rule import ClientTLSSettings, DestinationRule, PortTrafficPolicy, TrafficPolicy
from mizzen.api.gateway_api import BackendValidation, PolicyTarget
from mizzen.api.match import PortSelector
from mizzen.api.meta import Object, ObjectMeta
from mizzen.model import generated
from mizzen.resolve.gateway_api.conditions import Problem
from mizzen.resolve.gateway_api.listener_tls import ca_problem
from mizzen.resolve.gateway_api.world import SERVICES, World

IGNORE = "istio.io/ignore-policy-attachment"
INVALID = "invalid://"
"""Roots that nobody is ever given: traffic fails, as it must while nothing can be verified."""


@dataclass(frozen=True)
class Attached:
    """What became of one target of a policy. ``hosts`` are what it stands for."""

    policy: Object
    index: int
    target: PolicyTarget
    hosts: tuple[str, ...] = ()
    accepted: Problem | None = None
    resolved: Problem | None = None


@dataclass
class _Draft:
    """The DestinationRule of one host in the making."""

    owners: list[Object] = field(default_factory=list)
    tls: ClientTLSSettings | None = None
    ports: dict[int, ClientTLSSettings] = field(default_factory=dict)


def attached(world: World) -> list[Attached]:
    """Every target of every policy, the oldest policy first: a younger one for the same target is in conflict."""
    taken: dict[tuple[str, str, str, str], Object] = {}
    found = []
    for policy in world.aged("BackendTLSPolicy"):
        if policy.meta.annotations.get(IGNORE) == "true":
            continue
        resolved = _resolved(policy, world)
        for index, target in enumerate(policy.body.target_refs):
            owner = taken.setdefault((policy.namespace, target.kind, target.name, target.section_name), policy)
            conflict = Problem("Conflicted", f"BackendTLSPolicy {owner.name} is older") if owner is not policy else None
            hosts, missing = _hosts(policy, target, world)
            roots = Problem("NoValidCACertificate", resolved.message) if resolved is not None else None
            found.append(Attached(policy, index, target, hosts, conflict or missing or roots, resolved))
    return found


def _hosts(policy: Object, target: PolicyTarget, world: World) -> tuple[tuple[str, ...], Problem | None]:
    """The hosts of a Service or ServiceEntry of the policy's namespace; none without the port that is named."""
    if (target.group, target.kind) not in SERVICES:
        return (), Problem("TargetNotFound", f"a policy does not attach to {target.group or 'core'} {target.kind}")
    known = world.known_hosts(target.kind, target.name, policy.namespace)
    if not known:
        return (), Problem("TargetNotFound", f"there is no {target.kind} {policy.namespace}/{target.name}")
    if target.section_name and not any(_number(host, target.section_name, world) for host in known):
        return (), Problem("TargetNotFound", f"{target.kind} {target.name} has no port {target.section_name!r}")
    return known, None


def _number(host: str, port: str, world: World) -> int:
    return next((p.number for s in world.hosts[host] for p in s.ports if p.name == port), 0)


def _resolved(policy: Object, world: World) -> Problem | None:
    """What is wrong with the roots: of several references the first counts, and only ConfigMaps hold them."""
    validation: BackendValidation | None = policy.body.validation
    if validation is None:
        return Problem("InvalidCACertificateRef", "validation is missing")
    refs = validation.ca_certificate_refs
    if not refs:
        known = validation.well_known_ca_certificates == "System"
        return None if known else Problem("InvalidCACertificateRef", "roots are needed: caCertificateRefs, or System")
    found = ca_problem(policy, refs[0], world, secrets=False)
    if found is not None and found.reason == "InvalidCACertificateKind":
        return Problem("InvalidKind", found.message)
    return found


def destination_rules(found: Iterable[Attached], world: World) -> list[Object]:
    """One for each host that a policy is in force on, also while its roots are bad: then nothing gets through."""
    drafts: dict[tuple[str, str], _Draft] = {}
    for item in found:
        if item.accepted is not None and item.accepted.reason in ("Conflicted", "TargetNotFound"):
            continue
        tls = _settings(item)
        for host in item.hosts:
            draft = drafts.setdefault((item.policy.namespace, host), _Draft())
            draft.owners.append(item.policy)
            if item.target.section_name:
                draft.ports.setdefault(_number(host, item.target.section_name, world), tls)
            else:
                draft.tls = draft.tls or tls
    return [_object(namespace, host, draft) for (namespace, host), draft in drafts.items()]


def _settings(item: Attached) -> ClientTLSSettings:
    """Without names of its own the certificate must be for ``hostname``, as the Gateway API asks."""
    validation: BackendValidation = item.policy.body.validation or BackendValidation()
    names = tuple(san.hostname or san.uri for san in validation.subject_alt_names)
    refs = validation.ca_certificate_refs
    credential = f"configmap://{item.policy.namespace}/{refs[0].name}" if refs else ""
    return ClientTLSSettings(
        mode="SIMPLE",
        credential_name=INVALID if item.resolved is not None else credential,
        sni=validation.hostname,
        subject_alt_names=names or (validation.hostname,),
    )


def _object(namespace: str, host: str, draft: _Draft) -> Object:
    oldest = draft.owners[0]
    ports = [PortTrafficPolicy(port=PortSelector(number=n), tls=tls) for n, tls in sorted(draft.ports.items())]
    meta = ObjectMeta(
        name=f"{host.partition('.')[0]}~{host}{generated.INFIX}",
        namespace=namespace,
        annotations={generated.PARENTS: ",".join(f"BackendTLSPolicy/{namespace}.{o.name}" for o in draft.owners)},
        creation_timestamp=oldest.meta.creation_timestamp,
    )
    policy = TrafficPolicy(tls=draft.tls, port_level_settings=tuple(ports))
    body = DestinationRule(host=host, traffic_policy=policy, export_to=("*",))
    return Object(kind="DestinationRule", meta=meta, body=body, origin=oldest.origin)
