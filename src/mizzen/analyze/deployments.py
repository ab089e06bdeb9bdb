"""Deployments whose Services do not agree about a port (IST0116, IST0137)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import block, blocks, number, text, texts
from mizzen.analyze.selection import deployment_in_mesh, selects
from mizzen.model.finding import Finding

_FIELD = "metadata.name"
_MADE = "istio.io-mesh-controller"


def several_services(estate: Estate) -> Iterator[Finding]:
    services: dict[str, list[Subject]] = defaultdict(list)
    for service in estate.of("Service"):
        services[service.namespace].append(service)
    for deployment in estate.of("Deployment"):
        made = deployment.labels.get("gateway.istio.io/managed") == _MADE
        if not made and deployment_in_mesh(estate, deployment):
            labels = texts(block(deployment.raw, "spec", "template"), "metadata", "labels")
            own = [service for service in services[deployment.namespace] if _leads_to(service, labels)]
            yield from _protocols(deployment, own)
            yield from _ports(deployment, own)


def _leads_to(service: Subject, labels: dict[str, str]) -> bool:
    selector = texts(service.raw, "spec", "selector")
    return bool(selector) and selects(selector, labels)


def _protocols(deployment: Subject, services: list[Subject]) -> Iterator[Finding]:
    protocols: dict[int, set[str]] = defaultdict(set)
    users: dict[int, set[str]] = defaultdict(set)
    for service in services:
        for port in blocks(service.raw, "spec", "ports"):
            protocols[number(port, "port")].add(text(port, "protocol") or "TCP")
            users[number(port, "port")].add(service.full_name)
    for own, found in sorted(protocols.items()):
        if len(found) > 1:
            named = ", ".join(sorted(users[own]))
            yield deployment.finding("IST0116", _FIELD, deployment=deployment.name, port=own, services=named)


def _ports(deployment: Subject, services: list[Subject]) -> Iterator[Finding]:
    ports: dict[str, set[int]] = defaultdict(set)
    users: dict[str, set[str]] = defaultdict(set)
    for service in services:
        for port in blocks(service.raw, "spec", "ports"):
            target = text(port, "targetPort")
            if target in ("", "0"):
                target = str(number(port, "port"))
            ports[target].add(number(port, "port"))
            users[target].add(service.full_name)
    for target, found in sorted(ports.items()):
        if len(found) > 1:
            named, numbers = ", ".join(sorted(users[target])), ", ".join(map(str, sorted(found)))
            yield deployment.finding(
                "IST0137", _FIELD, deployment=deployment.name, services=named, target=target, ports=numbers
            )
