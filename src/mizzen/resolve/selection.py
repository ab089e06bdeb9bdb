"""Which services lead to a workload, and to which of its ports (rows GW-02, IL-01, IL-03, PO-03)."""

from __future__ import annotations

from collections.abc import Iterable

from mizzen.model.proxy import Proxy
from mizzen.model.service import Port, Resolution, Service, Workload
from mizzen.model.snapshot import Snapshot

RESERVED = frozenset({15001, 15006, 15021, 15090})
"""Ports that the sidecar itself holds (row PO-03)."""


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


def leading(snapshot: Snapshot, proxy: Proxy) -> list[tuple[Service, Port, int]]:
    """Every service port that leads to ``proxy`` with the container port behind it (0: not declared), the oldest first.

    A service leads there by its selector, or because an endpoint that a ServiceEntry of the same namespace lists is at
    the proxy's address: the ports of a machine, say (rows IL-01, SE-10).
    """
    workload = snapshot.workloads.get(proxy.address)
    found = [
        (service, port, container_port(port, workload))
        for service in selecting(snapshot, proxy.namespace, proxy.labels)
        for port in service.ports
    ]
    listed = [entry for entry in _listed(snapshot).get(proxy.address, ()) if entry[0].namespace == proxy.namespace]
    return sorted([*found, *listed], key=lambda entry: (entry[0].created, entry[0].hostname))


def _listed(snapshot: Snapshot) -> dict[str, list[tuple[Service, Port, int]]]:
    """What ServiceEntries list by address, made once per snapshot."""
    found: dict[str, list[tuple[Service, Port, int]]] | None = snapshot.interned.get("listed endpoints")
    if found is None:
        found = {}
        for service in snapshot.services:
            if not service.from_kubernetes and not service.selector:
                for port in service.ports:
                    for endpoint in snapshot.endpoints.get((service.namespace, service.hostname, port.number), ()):
                        found.setdefault(endpoint.address, []).append((service, port, endpoint.port))
        snapshot.interned["listed endpoints"] = found
    return found
