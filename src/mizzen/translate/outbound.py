"""The outbound listeners of a sidecar (rows OL-01 to OL-09; section 2.6 of the compatibility list is exact about them)."""

from __future__ import annotations

from dataclasses import dataclass, field

from envoy.config.core.v3 import address_pb2, base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.listener.http_inspector.v3 import http_inspector_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2

from mizzen.model.finding import Finding
from mizzen.model.protocol import Protocol
from mizzen.model.resources import LISTENER, Resource
from mizzen.model.service import Port, Service
from mizzen.translate import (
    access_log,
    apart,
    egress,
    extensions,
    families,
    hcm,
    listener_conflicts,
    names,
    tcp,
    tcp_routes,
)
from mizzen.translate.accepting import accept
from mizzen.translate.binding import Binding, Kind
from mizzen.translate.catalog import Catalog
from mizzen.translate.filters import Direction
from mizzen.translate.messages import any_of, resource
from mizzen.translate.scalars import duration, seconds

_HTTP = ("http/1.1", "h2c")
_CONNECT_TIMEOUT = 15.0
"""Seconds that a TLS handshake towards one of our chains may take."""


def listeners(catalog: Catalog) -> tuple[list[Resource], list[Finding]]:
    """One listener per address and port, sorted by name, then ``virtualOutbound``; and whose place was taken already.

    A client without capture has no such common listener: each opens a socket on loopback (row TC-08).
    """
    made: list[Resource] = []
    drafts: dict[str, _Draft] = {}
    uncaptured = catalog.scope.interception == "NONE"
    for part, service, port, binding in egress.bound(catalog):
        draft = drafts.get(binding.name)
        if draft is None:
            draft = drafts[binding.name] = _Draft(
                binding.name, binding.address, binding.port, part.socket or uncaptured, binding.more
            )
        draft.add(part.catalog, service, port, binding)
    for name in sorted(drafts):
        listener = families.listen(drafts[name].listener(catalog), catalog.scope.families)
        made.append(resource(LISTENER, listener.name, listener))
    if not uncaptured:
        last = families.listen(virtual_outbound(catalog), catalog.scope.families)
        made.append(resource(LISTENER, last.name, last))
    conflicts = [finding for draft in drafts.values() for finding in draft.conflicts]
    return made, conflicts


def virtual_outbound(catalog: Catalog) -> listener_pb2.Listener:
    """Where capture sends everything; it hands over to the listener of the original destination (rows PO-02, OL-07)."""
    mesh = catalog.scope.mesh
    message = listener_pb2.Listener(name="virtualOutbound", traffic_direction=base_pb2.OUTBOUND)
    message.address.CopyFrom(socket_address(names.WILDCARD, mesh.proxy_listen_port))
    message.use_original_dst.value = True
    if catalog.scope.interception == "TPROXY":
        message.transparent.value = True
    black_hole = message.filter_chains.add(name="virtualOutbound-blackhole")
    black_hole.filter_chain_match.destination_port.value = mesh.proxy_listen_port
    black_hole.filters.extend(_tcp(catalog, names.BLACK_HOLE, [(names.BLACK_HOLE, 1)]))
    catch_all = message.filter_chains.add(name="virtualOutbound-catchall-tcp")
    catch_all.filters.extend(_fallback(catalog))
    message.access_log.extend(access_log.listener_logs(mesh, catalog.scope.conduct.client))
    return accept(message, exact=False)


def socket_address(address: str, port: int) -> address_pb2.Address:
    """Port 0 stands for a unix path."""
    if not port:
        return address_pb2.Address(pipe=address_pb2.Pipe(path=address.removeprefix("unix://")))
    return address_pb2.Address(socket_address=address_pb2.SocketAddress(address=address, port_value=port))


def _fallback(catalog: Catalog, port: int = 0) -> list[components.Filter]:
    cluster = catalog.fallback()
    plugins = extensions.on(catalog.scope.extensions, Direction.OUTBOUND, port)
    return _tcp(catalog, cluster, [(cluster, 1)], plugins)


def _tcp(
    catalog: Catalog, stat_prefix: str, clusters: list[tuple[str, int]], plugins: extensions.Placed = ()
) -> list[components.Filter]:
    return tcp.filters(
        direction=Direction.OUTBOUND,
        stat_prefix=stat_prefix,
        mesh=catalog.scope.mesh,
        conduct=catalog.scope.conduct,
        clusters=clusters,
        plugins=plugins,
    )


@dataclass
class _Draft:
    """A listener while services add to it, the oldest first."""

    name: str
    address: str
    port: int
    socket: bool = False
    """It opens a socket of its own; else capture leads to it (row SC-04)."""
    more: tuple[str, ...] = ()
    route: str = ""
    grpc_web: bool = False
    grpc: bool = False
    chains: list[components.FilterChain] = field(default_factory=list)
    default: components.FilterChain | None = None
    owners: dict[apart.Cell, Service] = field(default_factory=dict)
    """Who takes it, by part of a match."""
    conflicts: list[Finding] = field(default_factory=list)

    def add(self, catalog: Catalog, service: Service, port: Port, binding: Binding) -> None:
        if binding.kind is not Kind.TCP and not self.route:
            self.route = binding.route
            self.grpc_web = port.protocol is Protocol.GRPC_WEB
        self.grpc = self.grpc or port.protocol.is_http2
        if binding.kind is not Kind.HTTP:
            for chain in tcp_routes.chains(catalog, service, port, binding):
                self._add_tcp(chain, service, port)

    def _add_tcp(self, chain: components.FilterChain, service: Service, port: Port) -> None:
        """What an older service's chain takes stays with it (row PR-11)."""
        found = apart.cells(chain.filter_chain_match)
        parts = apart.remaining(chain, lambda cell: cell not in self.owners)
        rivals = [self.owners[cell] for cell in found if self.owners.get(cell, service) is not service]
        for older in {rival.hostname: rival for rival in rivals}.values():
            self.conflicts.append(listener_conflicts.outbound(service, port, older))
        for cell in found:
            self.owners.setdefault(cell, service)
        for part in parts:
            part.transport_socket_connect_timeout.CopyFrom(seconds(_CONNECT_TIMEOUT))
            if part.filter_chain_match.ByteSize():
                self.chains.append(part)
            else:
                self.default = part

    def listener(self, catalog: Catalog) -> listener_pb2.Listener:
        mesh = catalog.scope.mesh
        name = self.name
        message = listener_pb2.Listener(
            name=name, traffic_direction=base_pb2.OUTBOUND, continue_on_listener_filters_timeout=True
        )
        message.address.CopyFrom(socket_address(self.address, self.port))
        for address in self.more:
            message.additional_addresses.add().address.CopyFrom(socket_address(address, self.port))
        if not self.socket:
            message.bind_to_port.value = False
        message.listener_filters_timeout.CopyFrom(
            duration(mesh.protocol_detection_timeout) if self.route else seconds(0)
        )
        if any(chain.filter_chain_match.server_names for chain in self.chains):
            _inspect(message, "envoy.filters.listener.tls_inspector", tls_inspector_pb2.TlsInspector())
        if self.route:
            _inspect(message, "envoy.filters.listener.http_inspector", http_inspector_pb2.HttpInspector())
            self._http_chain(message, name, catalog)
        message.filter_chains.extend(self.chains)
        self._default_chain(message, catalog)
        message.access_log.extend(access_log.listener_logs(mesh, catalog.scope.conduct.client))
        return accept(message, exact=catalog.scope.conduct.connections.balance_outbound, socket=self.socket)

    def _http_chain(self, message: listener_pb2.Listener, name: str, catalog: Catalog) -> None:
        chain = message.filter_chains.add()
        scope = catalog.scope
        chain.filter_chain_match.application_protocols.extend(("http/1.0", *_HTTP) if scope.http10 else _HTTP)
        chain.filter_chain_match.transport_protocol = "raw_buffer"
        chain.transport_socket_connect_timeout.CopyFrom(seconds(_CONNECT_TIMEOUT))
        chain.filters.append(
            hcm.http_connection_manager(
                direction=Direction.OUTBOUND,
                stat_prefix=f"outbound_{name};",
                mesh=scope.mesh,
                conduct=scope.conduct,
                rds=self.route,
                http10=scope.http10,
                grpc_web=self.grpc_web,
                grpc=self.grpc,
                dynamic=catalog.dynamic_hosts,
                plugins=extensions.on(scope.extensions, Direction.OUTBOUND, self.port),
            )
        )

    def _default_chain(self, message: listener_pb2.Listener, catalog: Catalog) -> None:
        if self.default is not None and not message.filter_chains:
            message.filter_chains.append(self.default)
        elif self.default is not None:
            message.default_filter_chain.CopyFrom(self.default)
            message.default_filter_chain.ClearField("filter_chain_match")
        else:
            message.default_filter_chain.name = names.PASSTHROUGH_CHAIN
            message.default_filter_chain.filter_chain_match.SetInParent()
            message.default_filter_chain.filters.extend(_fallback(catalog, self.port))


def _inspect(message: listener_pb2.Listener, name: str, config: http_inspector_pb2.HttpInspector) -> None:
    message.listener_filters.add(name=name, typed_config=any_of(config))
