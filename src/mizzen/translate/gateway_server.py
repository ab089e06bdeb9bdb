"""The servers of the Gateways that select a router, and which of them share a port (rows GW-02 to GW-06, GW-25, GW-30)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mizzen.api.gateway import Server
from mizzen.api.meta import Object
from mizzen.model.hosts import overlap
from mizzen.translate import names
from mizzen.translate.catalog import Catalog

_HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})
_PASSTHROUGH = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})
_PRIVILEGED = 1024


@dataclass(frozen=True)
class BoundServer:
    """A server of a Gateway: ``number`` as written, ``port`` where it listens after port translation (row GW-02)."""

    gateway: Object
    server: Server
    number: int
    port: int

    @property
    def protocol(self) -> str:
        return self.server.port.protocol.upper() if self.server.port else ""

    @property
    def owner(self) -> str:
        return f"{self.gateway.namespace}/{self.gateway.name}"

    @property
    def field(self) -> str:
        """Where the server stands in its Gateway."""
        place = next((i for i, server in enumerate(self.gateway.body.servers) if server is self.server), 0)
        return f"spec.servers[{place}]"

    @property
    def is_http(self) -> bool:
        return self.protocol in _HTTP

    @property
    def is_tls(self) -> bool:
        """True where the client speaks TLS to this port, whoever ends it."""
        return self.protocol in ("TLS", "HTTPS")

    @property
    def terminates(self) -> bool:
        tls = self.server.tls
        return not self.is_http and tls is not None and tls.mode not in _PASSTHROUGH

    @property
    def auto(self) -> bool:
        """True where the SNI alone names the service, without any VirtualService (row GW-15)."""
        return not self.is_http and self.server.tls is not None and self.server.tls.mode == "AUTO_PASSTHROUGH"

    @property
    def redirects(self) -> bool:
        return self.is_http and self.server.tls is not None and self.server.tls.https_redirect

    @property
    def hosts(self) -> list[tuple[str, str]]:
        """(namespace or ``*``, host in lower case, as names have none) of each entry (row GW-06)."""
        found = []
        for written in self.server.hosts:
            where, _, host = written.rpartition("/")
            found.append((self.gateway.namespace if where == "." else where or "*", host.lower()))
        return found

    @property
    def route_name(self) -> str:
        """Row GW-04."""
        suffix = f".{self.server.bind}" if self.server.bind else ""
        if self.is_http:
            return f"http.{self.port}{suffix}"
        name = self.server.port.name if self.server.port else ""
        return f"https.{self.number}.{name}.{self.gateway.name}.{self.gateway.namespace}{suffix}"

    @property
    def host_names(self) -> list[str]:
        """The hosts alone, sorted, each once."""
        return sorted({host for _, host in self.hosts})


def by_address(catalog: Catalog) -> Iterator[tuple[str, int, list[BoundServer]]]:
    """(bind, port, servers that share it without conflict), sorted; the oldest Gateway's servers come first."""
    for (bind, port), servers in _shared(catalog):
        yield bind, port, [bound for bound, reason in _judged(servers) if not reason]


def left_out(catalog: Catalog) -> Iterator[tuple[BoundServer, str]]:
    """The servers that an older one on their port leaves no room for, each with what is in the way (row GW-25)."""
    for _, servers in _shared(catalog):
        yield from ((bound, reason) for bound, reason in _judged(servers) if reason)


def _shared(catalog: Catalog) -> list[tuple[tuple[str, int], list[BoundServer]]]:
    found: dict[tuple[str, int], list[BoundServer]] = {}
    for bound in _servers(catalog):
        found.setdefault((bound.server.bind or names.WILDCARD, bound.port), []).append(bound)
    return sorted(found.items(), key=lambda item: item[0])


def attached(catalog: Catalog, bound: BoundServer) -> Iterator[tuple[Object, list[str]]]:
    """The VirtualServices bound to this server, with their hosts after intersection with the server's (row GW-06)."""
    for obj in catalog.scope.virtual_services:
        if bound.owner not in obj.body.gateways:
            continue
        found = [
            narrow
            for host in obj.body.hosts
            for where, mine in bound.hosts
            if where in ("*", obj.namespace) and (narrow := overlap(host, mine)) is not None
        ]
        if found:
            yield obj, list(dict.fromkeys(found))


def _servers(catalog: Catalog) -> Iterator[BoundServer]:
    """Every server; one on a port that an unprivileged pod cannot open is left out (row GW-30)."""
    scope = catalog.scope
    unprivileged = scope.flags.get("UNPRIVILEGED_POD") == "true"
    for gateway in scope.gateways:
        ports = scope.bound_ports.get(f"{gateway.namespace}/{gateway.name}", scope.gateway_ports)
        for server in gateway.body.servers:
            if server.port is None:
                continue
            number = server.port.number
            port = ports.get(number, number)
            if not unprivileged or port >= _PRIVILEGED:
                yield BoundServer(gateway, server, number, port)


def _judged(servers: Iterable[BoundServer]) -> Iterator[tuple[BoundServer, str]]:
    """Each server with why it is left out, or ``""``: TLS after plain text, HTTP with TCP, a TLS host twice (row GW-25)."""
    plain = ""
    taken: dict[str, BoundServer] = {}
    for bound in servers:
        reason = _in_the_way(bound, plain, taken)
        if not reason and bound.is_tls:
            taken |= dict.fromkeys((host for _, host in bound.hosts), bound)
        elif not reason:
            plain = _plain_kind(bound)
        yield bound, reason


def _plain_kind(bound: BoundServer) -> str:
    return "HTTP" if bound.is_http else "TCP"


def _in_the_way(bound: BoundServer, plain: str, taken: dict[str, BoundServer]) -> str:
    if not bound.is_tls:
        kind = _plain_kind(bound)
        return f"an older server takes the port for {plain}" if plain and (plain != kind or kind == "TCP") else ""
    if plain:
        return f"an older server takes the port for {plain} without TLS"
    host = next((host for _, host in bound.hosts if host in taken), "")
    return f"the host {host} belongs to the Gateway {taken[host].owner} on this port" if host else ""
