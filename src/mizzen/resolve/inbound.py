"""What a sidecar serves: the container ports that services lead to, with mTLS modes and policies (rows IL-01, IL-03)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from mizzen.model.protocol import Protocol
from mizzen.model.proxy import Proxy
from mizzen.model.service import Port, Resolution, Service, Workload
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import Inbound, InboundPort, MtlsMode, Policies
from mizzen.resolve.mtls import Modes, peer_policies_of
from mizzen.resolve.policies import policies_of

_RESERVED = frozenset({15001, 15006, 15021, 15090})
"""Ports that the sidecar itself holds (row PO-03)."""


def inbound(snapshot: Snapshot, proxy: Proxy) -> Inbound:
    """The Inbound of ``proxy``, whose labels and address say which services select it."""
    mesh = snapshot.mesh
    modes = peer_policies_of(snapshot).modes(proxy.namespace, proxy.labels)
    ports = _ports(snapshot, proxy, modes)
    known = {port.port for port in ports}
    unlisted = tuple(sorted((number, mode) for number, mode in modes.ports.items() if number not in known))
    own = policies_of(snapshot, proxy.namespace, proxy.labels)
    return Inbound(
        key=(proxy.namespace, modes.workload, tuple(_facts(p) for p in ports), unlisted, _names(own)),
        mesh=mesh,
        namespace=proxy.namespace,
        mtls=modes.workload,
        ports=ports,
        unlisted=unlisted,
        policies=own,
    )


def container_port(port: Port, workload: Workload | None) -> int:
    """The container port behind ``port`` on this workload; 0 when its name is not declared there."""
    if port.target:
        return port.target
    if not port.target_name:
        return port.number
    declared = workload.ports if workload else ()
    return next((p.number for p in declared if p.name == port.target_name), 0)


def selecting(snapshot: Snapshot, namespace: str, labels: dict[str, str]) -> Iterable[Service]:
    """The services of ``namespace`` that select a workload with ``labels``, the oldest first."""
    found = [
        s for s in snapshot.services if s.namespace == namespace and s.selector and s.resolution is not Resolution.ALIAS
    ]
    return (s for s in sorted(found, key=lambda s: (s.created, s.hostname)) if s.selector.items() <= labels.items())


def _ports(snapshot: Snapshot, proxy: Proxy, modes: Modes) -> tuple[InboundPort, ...]:
    workload = snapshot.workloads.get(proxy.address)
    found: dict[int, list[tuple[Service, Port]]] = {}
    for service in selecting(snapshot, proxy.namespace, proxy.labels):
        for port in service.ports:
            number = container_port(port, workload)
            if number and number not in _RESERVED and port.protocol is not Protocol.UDP:
                found.setdefault(number, []).append((service, port))
    return tuple(_inbound_port(number, claims, modes.of(number)) for number, claims in sorted(found.items()))


def _inbound_port(number: int, claims: list[tuple[Service, Port]], mode: MtlsMode) -> InboundPort:
    service, port = claims[0]
    services = {(s.namespace, s.hostname): s for s, _ in claims}
    return InboundPort(
        port=number,
        protocol=port.protocol,
        service=service,
        service_port=port.number,
        mtls=mode,
        services=tuple(services.values()),
    )


def _facts(port: InboundPort) -> Hashable:
    return (
        port.port,
        port.protocol,
        port.service_port,
        port.mtls,
        tuple((s.namespace, s.hostname) for s in port.services),
    )


def _names(own: Policies) -> Hashable:
    groups = (own.custom, own.audit, own.deny, own.allow, own.request_authentications)
    return tuple(tuple((o.namespace, o.name) for o in group) for group in groups)
