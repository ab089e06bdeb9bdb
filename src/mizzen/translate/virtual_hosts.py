"""Virtual hosts of a sidecar's route configurations (rows OL-02, OL-06, VS-01, VS-08, VS-09, VS-45)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from envoy.config.route.v3 import route_components_pb2 as route

from mizzen.model.hosts import covers, is_wildcard
from mizzen.model.service import Port, Service
from mizzen.model.view import DYNAMIC_DNS
from mizzen.translate import names
from mizzen.translate.catalog import Catalog
from mizzen.translate.http import hash_policy, retry
from mizzen.translate.http.routes import Place, routes

MESH = frozenset({"mesh"})
_ONLY_PORT = 80
"""Where a VirtualService is served whose hosts are no services (row VS-01)."""


@dataclass
class _Host:
    """A virtual host in the making. ``full`` are its own names, the other ``domains`` expand to them."""

    name: str
    full: list[str]
    routes: list[route.Route]
    domains: list[str]


def of_port(catalog: Catalog, port: int, served: Iterable[tuple[Service, Port]]) -> list[route.VirtualHost]:
    """The virtual hosts of a shared route configuration, by name, then the catch-all of the outbound mode.

    ``served`` are the services on this port, the oldest first.
    """
    place = Place(catalog, port, MESH)
    hosts = [service_host(catalog, service, own, place) for service, own in served]
    hosts += _foreign_hosts(catalog, port, place)
    made = sorted(_without_doubles(hosts), key=lambda v: v.name)
    # Envoy refuses a configuration in which a domain occurs twice.
    return counted(catalog, made if any("*" in host.domains for host in made) else [*made, catch_all(catalog)])


def of_ports(catalog: Catalog, served: Iterable[tuple[Service, Port]]) -> list[route.VirtualHost]:
    """The virtual hosts of a listener that takes several service ports: the port in Host tells them apart, and without
    one it is 80, or the only one that a service has (row SC-04)."""
    served = list(served)
    hosts = []
    for service, port in served:
        host = service_host(catalog, service, port, Place(catalog, port.number, MESH))
        bare = port.number == _ONLY_PORT or sum(other is service for other, _ in served) == 1
        host.domains = [f"{d}:{port.number}" for d in host.domains] + (host.domains if bare else [])
        host.full = [f"{name}:{port.number}" for name in host.full] + (host.full if bare else [])
        hosts.append(host)
    made = sorted(_without_doubles(hosts), key=lambda v: v.name)
    return counted(catalog, made if any("*" in host.domains for host in made) else [*made, catch_all(catalog)])


def of_one(catalog: Catalog, service: Service, port: Port) -> route.VirtualHost:
    """The one virtual host of a sniffed port: it takes every Host, for the address has chosen the service (row OL-04)."""
    host = service_host(catalog, service, port, Place(catalog, port.number, MESH))
    return counted(catalog, [_message(host, ["*"])])[0]


def service_host(catalog: Catalog, service: Service, port: Port, place: Place) -> _Host:
    """The virtual host of a service: its VirtualService's routes, else (also if none is for this client) the default one."""
    chosen = next(iter(catalog.virtual_services(service.hostname)), None)
    found = routes(chosen, place) if chosen is not None else []
    found = found or [default_route(catalog, service, port)]
    full = [service.hostname, *catalog.aliases(service)]
    return _Host(f"{service.hostname}:{port.number}", full, found, _domains(catalog, service, full))


def default_route(catalog: Catalog, service: Service, port: Port) -> route.Route:
    """Route ``default``: everything to the service, no timeout, the default retries."""
    message = route.Route(name="default")
    message.match.prefix = "/"
    message.decorator.operation = f"{service.hostname}:{port.number}/*"
    action = message.route
    action.cluster = names.cluster(port.number, "", service.hostname)
    action.timeout.SetInParent()
    action.max_grpc_timeout.SetInParent()
    settings = hash_policy.consistent_hash(catalog.rule(service), "", port.number)
    hashed = hash_policy.hash_policy(settings) if settings else None
    if hashed is not None:
        action.hash_policy.append(hashed)
    retries = retry.retry_policy(None, catalog.scope.mesh, hashed=hashed is not None)
    if retries is not None:
        action.retry_policy.CopyFrom(retries)
    return message


def counted(catalog: Catalog, hosts: list[route.VirtualHost]) -> list[route.VirtualHost]:
    """``hosts``, without ``x-envoy-attempt-count`` towards upstreams where ProxyConfig switches it off (row PC-13)."""
    block = catalog.scope.conduct.config.proxy_headers.get("attemptCount")
    if isinstance(block, dict) and block.get("disabled") is True:
        for host in hosts:
            host.include_request_attempt_count = False
    return hosts


def catch_all(catalog: Catalog) -> route.VirtualHost:
    """``allow_any``, ``allow_any_dynamic_dns`` or ``block_all`` (rows OL-06, MC-02)."""
    if catalog.scope.outbound_mode == "REGISTRY_ONLY":
        message = route.Route(name="block_all", direct_response=route.DirectResponseAction(status=502))
        name = "block_all"
    elif catalog.scope.outbound_mode == DYNAMIC_DNS:
        name = "allow_any_dynamic_dns"
        message = route.Route(name=name)
        message.route.cluster = names.ANY_NAME
        message.route.timeout.SetInParent()
        message.route.max_grpc_timeout.SetInParent()
    else:
        message = route.Route(name="allow_any")
        message.route.cluster = catalog.fallback()
        message.route.timeout.SetInParent()
        message.route.max_grpc_timeout.SetInParent()
        name = "allow_any"
    message.match.prefix = "/"
    return route.VirtualHost(name=name, domains=["*"], routes=[message], include_request_attempt_count=True)


def _foreign_hosts(catalog: Catalog, port: int, place: Place) -> Iterator[_Host]:
    """Hosts of VirtualServices that are no service: on the ports of the hosts that are, else on 80 (row VS-01)."""
    for obj in catalog.scope.virtual_services:
        if not obj.body.http:
            continue
        known = {host: _behind(catalog, host) for host in obj.body.hosts}
        ports = {p.number for services in known.values() for s in services for p in s.ports if p.protocol.is_http}
        if port not in (ports or {_ONLY_PORT}):
            continue
        found = routes(obj, place)
        for host, services in known.items():
            if found and not services:
                yield _Host(f"{host}:{port}", [host], found, [host])


def _behind(catalog: Catalog, host: str) -> list[Service]:
    """The services that ``host`` stands for; a wildcard stands for all that it covers (row VS-09)."""
    if is_wildcard(host):
        return [service for service in catalog.scope.services if covers(host, service.hostname)]
    service = catalog.service(host)
    return [service] if service is not None else []


def _domains(catalog: Catalog, service: Service, full: list[str]) -> list[str]:
    """Row OL-02: each name with what a client in this namespace may shorten it to, then ``*.`` names, then VIPs."""
    found: list[str] = []
    for name in full:
        found += [name, f"{name}.", *_short(catalog, name, service)]
    if service.headless:
        found += [f"*.{name}" for name in tuple(found)]
    return found + [address for address in catalog.addresses(service) if "/" not in address]


def _short(catalog: Catalog, hostname: str, service: Service) -> list[str]:
    suffix = f".svc.{catalog.scope.snapshot.config.domain}"
    if not hostname.endswith(suffix) or not (service.from_kubernetes or hostname != service.hostname):
        return []
    base = hostname.removesuffix(suffix)
    name, _, namespace = base.rpartition(".")
    if namespace == catalog.scope.namespace:
        return [name, f"{base}.svc", base]
    return [base, f"{base}.svc"]


def _without_doubles(hosts: list[_Host]) -> Iterator[route.VirtualHost]:
    """A domain belongs to the first that claims it, and a full name beats an expansion (row OL-02)."""
    owners: dict[str, _Host] = {}
    for host in hosts:
        for domain in host.full:
            owners.setdefault(domain.lower(), host)
    for host in hosts:
        for domain in host.domains:
            owners.setdefault(domain.lower(), host)
    seen: set[str] = set()
    for host in hosts:
        domains = [d for d in dict.fromkeys(host.domains) if owners[d.lower()] is host]
        if domains and host.name not in seen:
            seen.add(host.name)
            yield _message(host, domains)


def _message(host: _Host, domains: list[str]) -> route.VirtualHost:
    return route.VirtualHost(name=host.name, domains=domains, routes=host.routes, include_request_attempt_count=True)
