"""Which services lead to a workload, and to which of its ports (rows GW-02, IL-01, IL-03, PO-03)."""

from __future__ import annotations

from collections.abc import Iterable

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
