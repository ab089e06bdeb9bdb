"""The services of one Scope, looked up by hostname, and the clusters that destinations lead to (rows VS-27, OL-11)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from mizzen.api.destination_rule import DestinationRule
from mizzen.api.meta import Object
from mizzen.api.virtual_service import Destination
from mizzen.model.hosts import covers, is_wildcard, specificity
from mizzen.model.protocol import Protocol
from mizzen.model.proxy import BOTH_FAMILIES, IPV6_ONLY, ProxyType
from mizzen.model.service import Endpoint, Port, Resolution, Service
from mizzen.model.view import DYNAMIC_DNS, Scope
from mizzen.translate import names
from mizzen.translate.split_horizon import Vantage

_LOOP_LIMIT = 10


class Catalog:
    """An index over ``scope``, made once per translation."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._by_hostname = {service.hostname: service for service in scope.services}
        self._aliases: dict[str, list[str]] = {}
        self._routes_by_host: dict[str, list[int]] = {}
        self._wildcards: list[str] = []
        for index, obj in enumerate(scope.virtual_services):
            for host in obj.body.hosts:
                self._routes_by_host.setdefault(host, []).append(index)
        self._wildcards = sorted(filter(is_wildcard, self._routes_by_host), key=specificity)
        for service in scope.services:
            if service.resolution is Resolution.ALIAS:
                target = self.service(service.hostname)
                if target is not None:
                    self._aliases.setdefault(target.hostname, []).append(service.hostname)

    def service(self, hostname: str) -> Service | None:
        """The service behind ``hostname``; an ExternalName stands for its target, through any chain of them."""
        for _ in range(_LOOP_LIMIT):
            service = self._by_hostname.get(hostname)
            if service is None or service.resolution is not Resolution.ALIAS:
                return service
            hostname = service.external_name
        return None

    def aliases(self, service: Service) -> list[str]:
        """The ExternalName hostnames that stand for ``service``."""
        return self._aliases.get(service.hostname, [])

    def virtual_services(self, hostname: str) -> list[Object]:
        """Those for a service, the most specific host first, then in order of precedence (rows VS-08, VS-09)."""
        hosts = [hostname, *(w for w in self._wildcards if w != hostname and covers(w, hostname))]
        found = dict.fromkeys(index for host in hosts for index in self._routes_by_host.get(host, ()))
        return [self.scope.virtual_services[index] for index in found]

    def service_ports(self) -> Iterable[tuple[Service, Port]]:
        """Every port that has a cluster, by the age of its service: not UDP, not ExternalName (row PR-05)."""
        for service in self.scope.services:
            if service.resolution is not Resolution.ALIAS:
                yield from ((service, port) for port in service.ports if port.protocol is not Protocol.UDP)

    @cached_property
    def dynamic_hosts(self) -> list[str]:
        """The wildcard hosts whose names are resolved as requests name them, by HTTP (row SE-09)."""
        found = [
            service.hostname
            for service in self.scope.services
            if service.resolution is Resolution.DYNAMIC_DNS and any(p.protocol.is_http for p in service.ports)
        ]
        anything = self.scope.outbound_mode == DYNAMIC_DNS and self.scope.proxy_type is ProxyType.SIDECAR
        return [*found, names.ANY_NAME] if anything else found

    @property
    def tells_host(self) -> bool:
        """Whether ProxyConfig asks for ``x-forwarded-host`` where a route rewrites the host (row PC-13)."""
        block = self.scope.conduct.config.proxy_headers.get("xForwardedHost")
        return isinstance(block, dict) and block.get("enabled") is True

    def addresses(self, service: Service) -> tuple[str, ...]:
        """Where this client dials ``service``: an allocated address only if it asks our DNS (row SE-14)."""
        if not service.addresses and service.auto_address and self._goes_by_allocated:
            return (service.auto_address,)
        return self.written(service)

    def written(self, service: Service) -> tuple[str, ...]:
        """The addresses and ranges of ``service`` in the families that this client has (row OL-24)."""
        families = self.scope.families
        if families == IPV6_ONLY:
            return service.addresses_v6
        return (*service.addresses, *service.addresses_v6) if families == BOTH_FAMILIES else service.addresses

    @property
    def _goes_by_allocated(self) -> bool:
        scope = self.scope
        asks = scope.flags.get("DNS_AUTO_ALLOCATE", "").lower() == "true"
        return scope.captures_dns and (scope.snapshot.config.features.ip_autoallocate or asks)

    @cached_property
    def vantage(self) -> Vantage:
        """Where the clients of this scope stand among the networks of the mesh (row MN-03)."""
        return Vantage.of(self.scope)

    def dialled(self, service: Service, port: Port) -> list[Endpoint]:
        """The endpoints that this client can reach by their own addresses, of its network or of none (row MCL-08)."""
        mine = self.scope.network
        found = (e for e in self.endpoints(service, port) if e.address)
        return [e for e in found if not mine or e.network in ("", mine)]

    def endpoints(self, service: Service, port: Port) -> tuple[Endpoint, ...]:
        return self.scope.snapshot.endpoints.get((service.namespace, service.hostname, port.number), ())

    def rule_object(self, service: Service) -> Object | None:
        return self.scope.destination_rules.get((service.namespace, service.hostname))

    def rule(self, service: Service) -> DestinationRule | None:
        """The DestinationRule that this client uses for ``service``."""
        found = self.rule_object(service)
        return found.body if found else None

    def fallback(self) -> str:
        """The cluster of traffic to unknown places (rows OL-05, SC-08)."""
        proxy = self.scope.egress_proxy
        if self.scope.outbound_mode == "REGISTRY_ONLY":
            return names.BLACK_HOLE
        return self.cluster(proxy, 0) if proxy is not None else names.PASSTHROUGH

    def auto_passthrough(self) -> bool:
        """True for a router with a server that passes mesh TLS on by SNI alone (row GW-15)."""
        servers = (server for gateway in self.scope.gateways for server in gateway.body.servers)
        return any(server.tls is not None and server.tls.mode == "AUTO_PASSTHROUGH" for server in servers)

    def port_of(self, destination: Destination, listener_port: int) -> int:
        """The port of the cluster: as written, else the only port, else the listener's own (row VS-27)."""
        if destination.port is not None and destination.port.number:
            return destination.port.number
        service = self.service(destination.host)
        return service.ports[0].number if service is not None and len(service.ports) == 1 else listener_port

    def cluster(self, destination: Destination, listener_port: int) -> str:
        """The cluster's name. It is given too when no such cluster exists: the route then answers 503 (row VS-27)."""
        service = self.service(destination.host)
        hostname = service.hostname if service else destination.host
        return names.cluster(self.port_of(destination, listener_port), destination.subset, hostname)
