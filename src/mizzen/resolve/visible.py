"""Which services and routes a client may see, by one list of egress hosts (rows SC-02 to SC-04, SC-11, VS-08)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from mizzen.api.meta import Object
from mizzen.api.virtual_service import Destination, VirtualService
from mizzen.model.hosts import covers, is_wildcard
from mizzen.model.service import Service
from mizzen.resolve import exports
from mizzen.resolve.sidecars import Egress
from mizzen.resolve.virtual_services import MESH

EVERY_PORT: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Seen:
    """A service that a client sees, and which of its ports; no port stands for all of them."""

    service: Service
    ports: frozenset[int] = EVERY_PORT

    def narrowed(self) -> Service:
        """The service with these ports alone; the very same object when that is all of them."""
        if not self.ports or all(port.number in self.ports for port in self.service.ports):
            return self.service
        return replace(self.service, ports=tuple(p for p in self.service.ports if p.number in self.ports))


def routes(objects: Iterable[Object], namespace: str, attached: Collection[str], egress: Egress) -> tuple[Object, ...]:
    """In order of precedence: private ones, those exported by name, public ones; each oldest first (row VS-08)."""
    seen = [
        obj
        for obj in objects
        if exports.visible(obj.body.export_to, namespace)
        and not set(attached).isdisjoint(obj.body.gateways)
        and (MESH not in attached or any(egress.concerns(obj.namespace, host) for host in obj.body.hosts))
    ]
    return tuple(sorted(seen, key=lambda obj: exports.rank(obj.body.export_to, obj.namespace, namespace)))


def services(
    every: Iterable[Service],
    namespace: str,
    egress: Egress,
    imported: Iterable[Destination],
    *,
    port: int = 0,
    sinks: Collection[str] = (),
) -> tuple[Seen, ...]:
    """Visible services, one per hostname: a listed one, then the own namespace's, then Kubernetes' over others, then the
    oldest (row SC-11).

    ``imported`` are destinations of routes: they are seen even when they are not listed, on the port that is named
    (row SC-03). ``port`` is the only one that counts; 0: all do (row SC-04). ``sinks`` take traces and logs: Envoy refuses
    a listener that names a collector whose cluster it lacks, so nothing hides them (row TR-10).
    """
    wanted = _Imports(imported)
    chosen: dict[str, tuple[tuple[bool, bool, bool], Seen]] = {}
    for service in every:
        found = Seen(service) if service.hostname in sinks else _seen(service, namespace, egress, wanted)
        found = _on(found, port)
        if found is None:
            continue
        listed = egress.sees(service.namespace, service.hostname)
        rank = (not listed, service.namespace != namespace, not service.from_kubernetes)
        held = chosen.get(service.hostname)
        if held is None or rank < held[0]:
            chosen[service.hostname] = (rank, found)
    kept = {id(found.service) for _, found in chosen.values()}
    return tuple(chosen[s.hostname][1] for s in every if id(s) in kept)


def destinations(objects: Iterable[Object]) -> Iterator[Destination]:
    """Everything that these VirtualServices lead to, mirrors included; delegates are merged already."""
    for obj in objects:
        body: VirtualService = obj.body
        for section in (body.http, body.tls, body.tcp):
            for route in section:
                yield from (weighted.destination for weighted in route.route if weighted.destination is not None)
        for http in body.http:
            yield from (d for d in (http.mirror, *(m.destination for m in http.mirrors)) if d is not None)


class _Imports:
    """The destinations of routes by host, with the ports that they name."""

    def __init__(self, found: Iterable[Destination]) -> None:
        self._ports: dict[str, set[int]] = {}
        for destination in found:
            number = destination.port.number if destination.port is not None else 0
            self._ports.setdefault(destination.host, set()).add(number)

    def of(self, service: Service) -> frozenset[int] | None:
        """The ports that are imported, none for all of them; None when the service is not imported."""
        numbers = set(self._ports.get(service.hostname, ()))
        if is_wildcard(service.hostname):
            numbers |= {n for host, ports in self._ports.items() if covers(service.hostname, host) for n in ports}
        if not numbers:
            return None
        return EVERY_PORT if 0 in numbers else frozenset(numbers)


def _seen(service: Service, namespace: str, egress: Egress, imports: _Imports) -> Seen | None:
    if not exports.visible(service.export_to, namespace):
        return None
    if egress.sees(service.namespace, service.hostname):
        return Seen(service)
    ports = imports.of(service)
    return None if ports is None else Seen(service, ports)


def _on(found: Seen | None, port: int) -> Seen | None:
    if found is None or not port:
        return found
    if found.service.port(port) is None or (found.ports and port not in found.ports):
        return None
    return Seen(found.service, frozenset({port}))
