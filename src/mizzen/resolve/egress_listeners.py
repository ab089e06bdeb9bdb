"""The ``egress`` list of a Sidecar as listeners: what each of them sees (row SC-04)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mizzen.api.meta import Object
from mizzen.api.sidecar import IstioEgressListener, Sidecar
from mizzen.api.virtual_service import Destination
from mizzen.model.service import Service
from mizzen.model.view import EgressListener
from mizzen.resolve import ports, visible
from mizzen.resolve.sidecars import Egress
from mizzen.resolve.virtual_services import MESH

_UNIX = ("unix://", "/", "@")
_HTTP_PROXY = "HTTP_PROXY"


def listeners(
    sidecar: Sidecar | None,
    namespace: str,
    services: Sequence[Service],
    routes: Iterable[Object],
    beyond: Destination | None,
    *,
    uncaptured: bool,
) -> tuple[EgressListener, ...]:
    """Every entry in its order; none when no entry has a port, for then the whole scope is one.

    ``uncaptured``: nothing sends the pod's traffic to its proxy, so a listener needs a socket of its own.
    """
    if sidecar is None or all(entry.port is None for entry in sidecar.egress):
        return ()
    routes = tuple(routes)
    return tuple(_listener(entry, namespace, services, routes, beyond, uncaptured) for entry in sidecar.egress)


def united(services: Sequence[Service], found: Iterable[EgressListener], sinks: Collection[str]) -> tuple[Service, ...]:
    """What all listeners together see, each service with every port that one of them has."""
    numbers: dict[tuple[str, str], set[int]] = {}
    for listener in found:
        for service in listener.services:
            held = numbers.setdefault((service.namespace, service.hostname), set())
            held |= {port.number for port in service.ports}
    chosen: dict[str, visible.Seen] = {}
    for service in services:
        own = frozenset(numbers.get((service.namespace, service.hostname), ()))
        if service.hostname in sinks:
            own = visible.EVERY_PORT
        elif not own:
            continue
        chosen.setdefault(service.hostname, visible.Seen(service, own))
    return tuple(seen.narrowed() for seen in chosen.values())


def _listener(
    entry: IstioEgressListener,
    namespace: str,
    services: Sequence[Service],
    routes: tuple[Object, ...],
    beyond: Destination | None,
    uncaptured: bool,
) -> EgressListener:
    egress = Egress(entry.hosts, namespace)
    own = visible.routes(routes, namespace, {MESH}, egress)
    number = entry.port.number if entry.port is not None else 0
    written = entry.port.protocol if entry.port is not None else ""
    proxy = written.upper() == _HTTP_PROXY
    unix = entry.bind.startswith(_UNIX)
    imported = [*visible.destinations(own), *([beyond] if beyond is not None and entry.port is None else ())]
    seen = visible.services(services, namespace, egress, imported, port=0 if proxy else number)
    return EgressListener(
        port=number,
        protocol=ports.of_field("http" if proxy else written),
        bind=entry.bind,
        socket=entry.port is not None and (unix or entry.capture_mode == "NONE" or uncaptured),
        catch_all=entry.port is None,
        services=tuple(item.narrowed() for item in seen),
        virtual_services=own,
    )
