"""What VirtualServices route to: hosts, ports and subsets that must exist (IST0101, IST0112, IST0140)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.hosts import Hosts, hosts_of
from mizzen.api.destination_rule import DestinationRule
from mizzen.api.virtual_service import Destination, VirtualService
from mizzen.model.finding import Finding

_SERVICE = re.compile(r"([^.]+)\.([^.]+)\.svc\.cluster\.local")


@dataclass(frozen=True)
class _Target:
    """A destination, the path of its fields, and whether requests are only mirrored to it."""

    destination: Destination
    path: str
    mirror: bool = False


def _targets(body: VirtualService) -> Iterator[_Target]:
    for section in ("http", "tls", "tcp"):
        for i, route in enumerate(getattr(body, section)):
            for j, weighted in enumerate(route.route):
                yield _Target(weighted.destination or Destination(), f"spec.{section}[{i}].route[{j}].destination")
    for i, http in enumerate(body.http):
        if http.mirror is not None:
            yield _Target(http.mirror, f"spec.http[{i}].mirror", mirror=True)
        for j, mirror in enumerate(http.mirrors):
            if mirror.destination is not None:
                yield _Target(mirror.destination, f"spec.http[{i}].mirrors[{j}].destination", mirror=True)


def destination_hosts(estate: Estate) -> Iterator[Finding]:
    hosts = hosts_of(estate)
    for subject in estate.decoded("VirtualService"):
        for target in _targets(subject.body):
            yield from _host(subject, target, hosts)
    yield from _without_effect(estate)


def _host(subject: Subject, target: _Target, hosts: Hosts) -> Iterator[Finding]:
    destination = target.destination
    known = hosts.find(destination.host, subject.namespace, subject.body.export_to)
    if known is None:
        reference = "mirror host" if target.mirror else "host"
        yield subject.finding("IST0101", f"{target.path}.host", reftype=reference, refval=destination.host)
    elif destination.port is None or not destination.port.number:
        if len(known.ports) > 1:
            ports = ", ".join(map(str, known.ports))
            yield subject.finding("IST0112", f"{target.path}.host", host=destination.host, ports=ports)
    elif destination.port.number not in known.ports:
        value = f"{destination.host}:{destination.port.number}"
        yield subject.finding("IST0101", f"{target.path}.port.number", reftype="host:port", refval=value)


def _without_effect(estate: Estate) -> Iterator[Finding]:
    """Routes of a gateway to a host whose subsets only another VirtualService, of the mesh, knows."""
    with_subset: dict[str, list[Subject]] = defaultdict(list)
    services = estate.decoded("VirtualService")
    for subject in services:
        body: VirtualService = subject.body
        hosts = {d.host for d in _http_destinations(body) if d.subset and d.host in body.hosts}
        for host in hosts:
            with_subset[host].append(subject)
    for subject in services:
        if not subject.body.gateways:
            continue
        plain = dict.fromkeys(d.host for d in _http_destinations(subject.body) if not d.subset)
        for other in dict.fromkeys(other for host in plain for other in with_subset.get(host, ())):
            yield subject.finding("IST0140", with_subset=other.full_name, routed=subject.full_name)


def _http_destinations(body: VirtualService) -> Iterator[Destination]:
    for route in body.http:
        for weighted in route.route:
            if weighted.destination is not None:
                yield weighted.destination


def destination_subsets(estate: Estate) -> Iterator[Finding]:
    """Subsets that no DestinationRule of the host defines."""
    known: set[tuple[str, str, str]] = set()
    for rule in estate.decoded("DestinationRule"):
        body: DestinationRule = rule.body
        known |= {(*_pair(body.host, rule.namespace), subset.name) for subset in body.subsets}
    for subject in estate.decoded("VirtualService"):
        for target in _targets(subject.body):
            host, subset = target.destination.host, target.destination.subset
            if subset and (*_pair(host, subject.namespace), subset) not in known:
                reference = f"{'mirror' if target.mirror else 'host'}+subset in destinationrule"
                value = f"{host}+{subset}"
                yield subject.finding("IST0101", f"{target.path}.subset", reftype=reference, refval=value)


def _pair(host: str, namespace: str) -> tuple[str, str]:
    """Rule R3: name and namespace of a service, or the host as it stands in the namespace of who names it."""
    found = _SERVICE.fullmatch(host)
    return (found[1], found[2]) if found else (host, namespace)
