"""What to tell the owners of services that share a place with an older one (rows PR-11, IL-03)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.model.finding import LISTENER_TAKEN, PORTS_DIFFER, PROTOCOLS_DIFFER, Finding, Level
from mizzen.model.service import Port, Service
from mizzen.model.view import Inbound


def outbound(service: Service, port: Port, older: Service) -> Finding:
    """``port`` of ``service`` has no chain of its own: no connection could be told from one to ``older``."""
    message = (
        f"connections to port {port.number} cannot be told from those to {older.hostname}, which is older and gets them"
    )
    return _about(service, LISTENER_TAKEN, message)


def inbound(served: Inbound) -> Iterator[Finding]:
    """Services that lead to one container port and do not agree on it; the oldest decides."""
    for port in served.ports:
        for service, other in port.rivals:
            said = f"leads to container port {port.port}, as {port.service.hostname} does, which is older and decides"
            if other.protocol is not port.protocol:
                message = f"{said}: the protocol is {port.protocol}, not {other.protocol}"
                yield _about(service, PROTOCOLS_DIFFER, message)
            if other.number != port.service_port:
                message = f"{said}: routes and spans say port {port.service_port}, not {other.number}"
                yield _about(service, PORTS_DIFFER, message)


def _about(service: Service, code: str, message: str) -> Finding:
    kind = "Service" if service.from_kubernetes else "ServiceEntry"
    return Finding(
        code=code, level=Level.WARNING, message=message, kind=kind, namespace=service.namespace, name=service.name
    )
