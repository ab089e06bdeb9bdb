"""Chains of a gateway that carry bytes: TCP, TLS that the gateway ends, and TLS that it passes on (rows GW-14 to GW-16, VS-53 to VS-57)."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.listener.v3 import listener_components_pb2 as components

from mizzen.api.meta import Object
from mizzen.api.virtual_service import TLSRoute
from mizzen.model import generated
from mizzen.model.hosts import covers, overlap
from mizzen.translate import extensions, names, tcp, tcp_routes
from mizzen.translate import filters as f
from mizzen.translate.catalog import Catalog
from mizzen.translate.chains import ALPN_MESH
from mizzen.translate.credentials import named_for
from mizzen.translate.filters import Direction
from mizzen.translate.gateway_server import BoundServer, attached
from mizzen.translate.gateway_tls import downstream_socket
from mizzen.translate.scalars import seconds
from mizzen.translate.tcp_routes import Leg
from mizzen.translate.tls import ALPN_TCP

_CONNECT_TIMEOUT = 15.0
"""Seconds that a client may take for its handshake (row GW-35)."""


def tcp_chain(catalog: Catalog, bound: BoundServer) -> Iterator[components.FilterChain]:
    """The first fitting ``tcp`` route of the first VirtualService; none, no chain (rows VS-55, VS-56, GW-27)."""
    for obj, _ in attached(catalog, bound):
        for rule in (*obj.body.tcp, *_terminated(obj, bound)):
            fits = not rule.match or any(_on_gateway(m.port, m.gateways, bound) for m in rule.match)
            leg = tcp_routes.leg(catalog, obj, rule.route, bound.number)
            if not fits or leg is None:
                continue
            chain = _chain(catalog, leg, bound)
            if bound.terminates:
                mutual = bound.server.tls is not None and bound.server.tls.mode == "ISTIO_MUTUAL"
                if mutual:
                    chain.filters.insert(0, f.network_marker(f.METADATA_EXCHANGE))
                secure(catalog, chain, bound, ALPN_TCP if mutual else ())
            yield with_deadline(chain)
            return


def _terminated(obj: Object, bound: BoundServer) -> tuple[TLSRoute, ...]:
    """``tls`` routes that hold where the gateway ends TLS: those that a TLSRoute of the Gateway API became (row VS-55)."""
    return obj.body.tls if generated.by_segments(obj) and bound.terminates else ()


def sni_chains(catalog: Catalog, bound: BoundServer, taken: set[str]) -> Iterator[components.FilterChain]:
    """TLS that goes on as it is, told apart by SNI. ``taken`` are the names that this listener has so far (VS-53)."""
    found = _auto_chains(catalog, bound) if bound.auto else _routed_chains(catalog, bound)
    for chain in found:
        own = set(chain.filter_chain_match.server_names) or {"*"}
        if not own & taken:
            taken |= own
            yield with_deadline(chain)


def secure(catalog: Catalog, chain: components.FilterChain, bound: BoundServer, alpn: tuple[str, ...]) -> None:
    """Let the chain end TLS for the server's hosts; ``*`` takes every SNI (row GW-28)."""
    if "*" not in bound.host_names:
        chain.filter_chain_match.server_names.extend(bound.host_names)
    if bound.server.tls is not None:
        own = named_for(bound.server.tls, lists_secrets=catalog.scope.lists_secrets)
        chain.transport_socket.CopyFrom(downstream_socket(own, catalog.scope.mesh, alpn))


def with_deadline(chain: components.FilterChain) -> components.FilterChain:
    chain.transport_socket_connect_timeout.CopyFrom(seconds(_CONNECT_TIMEOUT))
    return chain


def _auto_chains(catalog: Catalog, bound: BoundServer) -> Iterator[components.FilterChain]:
    for service, port in catalog.service_ports():
        if service.mesh_external or not any(covers(host, service.hostname) for host in bound.host_names):
            continue
        rule = catalog.rule(service)
        for subset in ("", *(s.name for s in (rule.subsets if rule else ()))):
            name = names.sni(port.number, subset, service.hostname)
            filters = tcp.filters(
                direction=Direction.GATEWAY,
                stat_prefix=name,
                mesh=catalog.scope.mesh,
                conduct=catalog.scope.conduct,
                clusters=[(name, 1)],
                plugins=extensions.on(catalog.scope.extensions, Direction.GATEWAY, bound.number),
            )
            chain = components.FilterChain(filters=filters)
            chain.filter_chain_match.server_names.append(name)
            chain.filter_chain_match.application_protocols.extend(ALPN_MESH)
            yield chain


def _routed_chains(catalog: Catalog, bound: BoundServer) -> Iterator[components.FilterChain]:
    for obj, _ in attached(catalog, bound):
        for rule in obj.body.tls:
            for match in rule.match:
                names_ = [host.lower() for host in match.sni_hosts]
                hosts = [host for host in names_ if any(overlap(host, mine) for _, mine in bound.hosts)]
                leg = tcp_routes.leg(catalog, obj, rule.route, bound.number)
                if leg is not None and hosts and _on_gateway(match.port, match.gateways, bound):
                    chain = _chain(catalog, leg, bound)
                    chain.filter_chain_match.server_names.extend(sorted({n for n in hosts if n != "*"}))
                    yield chain


def _on_gateway(port: int, gateways: tuple[str, ...], bound: BoundServer) -> bool:
    return (not port or port == bound.number) and (not gateways or bound.owner in gateways)


def _chain(catalog: Catalog, leg: Leg, bound: BoundServer) -> components.FilterChain:
    found = leg.filters(catalog, Direction.GATEWAY, bound.number, catalog.scope.policies)
    return components.FilterChain(filters=found)
