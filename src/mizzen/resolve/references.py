"""Findings about VirtualServices whose destinations do not exist, and about mesh hosts claimed twice (IST0101, IST0109)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mizzen.api.meta import Object
from mizzen.api.virtual_service import Destination, VirtualService
from mizzen.model import generated
from mizzen.model.finding import CONFLICTING_HOSTS, Finding, Level
from mizzen.model.hosts import covers, is_wildcard
from mizzen.model.service import Resolution, Service
from mizzen.resolve import problems
from mizzen.resolve.virtual_services import MESH

Hosts = Mapping[str, tuple[Service, ...]]


def reference_findings(
    virtual_services: Iterable[Object], destination_rules: Iterable[Object], gateways: Iterable[Object], hosts: Hosts
) -> tuple[Finding, ...]:
    """What the VirtualServices that users wrote name and nobody declares, then conflicts of hosts."""
    virtual_services = tuple(obj for obj in virtual_services if not generated.of_gateway_api(obj))
    rules = tuple(destination_rules)
    gateway_names = {f"{obj.namespace}/{obj.name}" for obj in gateways}
    findings: list[Finding] = []
    for obj in virtual_services:
        for index, name in enumerate(obj.body.gateways):
            if name != MESH and name not in gateway_names:
                findings.append(problems.missing(obj, "gateway", name, f"spec.gateways[{index}]"))
        for path, destination in _destinations(obj.body):
            findings += _check(obj, path, destination, rules, hosts)
    return (*findings, *_conflicts(virtual_services))


def _destinations(body: VirtualService) -> Iterator[tuple[str, Destination]]:
    for section in ("http", "tls", "tcp"):
        for i, route in enumerate(getattr(body, section)):
            for j, weighted in enumerate(route.route):
                if weighted.destination is not None:
                    yield f"spec.{section}[{i}].route[{j}].destination", weighted.destination
    for i, http in enumerate(body.http):
        if http.mirror is not None:
            yield f"spec.http[{i}].mirror", http.mirror
        for j, mirror in enumerate(http.mirrors):
            if mirror.destination is not None:
                yield f"spec.http[{i}].mirrors[{j}].destination", mirror.destination


def _check(
    obj: Object, path: str, destination: Destination, rules: Iterable[Object], hosts: Hosts
) -> Iterator[Finding]:
    services = hosts.get(destination.host, ())
    alias = next((s for s in services if s.resolution is Resolution.ALIAS), None)
    if alias is not None and not _leads_somewhere(alias, hosts):
        yield problems.missing(obj, "host", f"{destination.host} -> {alias.external_name}", f"{path}.host")
        return
    if not services and not any(is_wildcard(host) and covers(host, destination.host) for host in hosts):
        yield problems.missing(obj, "host", destination.host, f"{path}.host")
        return
    port = destination.port.number if destination.port else 0
    if port and services and all(service.port(port) is None for service in services):
        yield problems.missing(obj, "host:port", f"{destination.host}:{port}", f"{path}.port")
    if destination.subset and not _subset_exists(destination, rules):
        yield problems.missing(
            obj, "host+subset in destinationrule", f"{destination.host}+{destination.subset}", f"{path}.subset"
        )


def _leads_somewhere(alias: Service, hosts: Hosts) -> bool:
    """Whether a chain of ExternalNames ends at a service of the mesh (row OL-11)."""
    seen: set[str] = set()
    while alias.external_name not in seen:
        seen.add(alias.external_name)
        target = next(iter(hosts.get(alias.external_name, ())), None)
        if target is None or target.resolution is not Resolution.ALIAS:
            return target is not None
        alias = target
    return False


def _subset_exists(destination: Destination, rules: Iterable[Object]) -> bool:
    return any(
        covers(rule.body.host, destination.host)
        and any(subset.name == destination.subset for subset in rule.body.subsets)
        for rule in rules
    )


def _conflicts(virtual_services: Iterable[Object]) -> Iterator[Finding]:
    """Mesh hosts are not merged: the oldest serves alone, so every younger one is worth an error (row VS-08)."""
    claimed: dict[tuple[str, str], Object] = {}
    for obj in virtual_services:
        if MESH not in obj.body.gateways:
            continue
        scopes = ("*",) if "*" in obj.body.export_to else obj.body.export_to
        for index, host in enumerate(obj.body.hosts):
            first = next((claimed[(s, host)] for s in scopes if (s, host) in claimed), None)
            for scope in scopes:
                claimed.setdefault((scope, host), obj)
            if first is not None:
                both = ",".join(sorted(f"{o.namespace}/{o.name}" for o in (first, obj)))
                text = f"The VirtualServices {both} associated with mesh gateway define the same host {scopes[0]}/{host} which can lead to undefined behavior."
                yield problems.about(obj, CONFLICTING_HOSTS, Level.ERROR, text, f"spec.hosts[{index}]")
