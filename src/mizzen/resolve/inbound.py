"""What a sidecar serves: the container ports that services lead to, with mTLS modes and policies (rows IL-01, IL-03)."""

from __future__ import annotations

from collections.abc import Hashable

from mizzen.model.protocol import Protocol
from mizzen.model.proxy import Proxy
from mizzen.model.service import Port, Service
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import Inbound, InboundPort, MtlsMode, Policies
from mizzen.resolve import extensions
from mizzen.resolve.conduct import conduct
from mizzen.resolve.conduct import key as conduct_key
from mizzen.resolve.ingress_listeners import ingress
from mizzen.resolve.mtls import Modes, peer_policies_of
from mizzen.resolve.policies import policies_of
from mizzen.resolve.pools import Pools
from mizzen.resolve.selection import RESERVED, leading
from mizzen.resolve.sidecars import sidecar_for

_PROXYLESS = "grpc"
_TLS_MODE = "security.istio.io/tlsMode"


def inbound(snapshot: Snapshot, proxy: Proxy) -> Inbound:
    """The Inbound of ``proxy``, whose labels and address say which services select it."""
    mesh = snapshot.mesh
    modes = peer_policies_of(snapshot).modes(proxy.namespace, proxy.labels)
    if proxy.flags.get("GENERATOR") == _PROXYLESS:
        modes = modes.settled(mtls=proxy.labels.get(_TLS_MODE) == "istio")
    sidecar = sidecar_for(snapshot.sidecars, proxy.namespace, proxy.labels, mesh.root_namespace)
    pools = Pools(snapshot, sidecar.body if sidecar is not None else None)
    if sidecar is not None and sidecar.body.ingress:
        ports = ingress(snapshot, proxy, sidecar, modes, pools)
    else:
        ports = _ports(snapshot, proxy, modes, pools)
    known = {port.port for port in ports}
    unlisted = tuple(sorted((number, mode) for number, mode in modes.ports.items() if number not in known))
    own = policies_of(snapshot, proxy.namespace, proxy.labels)
    plugins = extensions.of_proxy(snapshot, proxy.namespace, proxy.labels)
    http10 = proxy.flags.get("HTTP10") == "1"
    families = proxy.flags.get("IP_FAMILIES", "")
    interception = proxy.flags.get("INTERCEPTION_MODE", "")
    return Inbound(
        key=(
            proxy.namespace,
            modes.workload,
            tuple(_facts(p) for p in ports),
            unlisted,
            _names(own),
            http10,
            families,
            conduct_key(snapshot, proxy),
            interception,
            extensions.names(plugins),
        ),
        mesh=mesh,
        namespace=proxy.namespace,
        mtls=modes.workload,
        ports=ports,
        unlisted=unlisted,
        policies=own,
        conduct=conduct(snapshot, proxy),
        interception=interception,
        http10=http10,
        families=families,
        extensions=plugins,
    )


def _ports(snapshot: Snapshot, proxy: Proxy, modes: Modes, pools: Pools) -> tuple[InboundPort, ...]:
    found: dict[int, list[tuple[Service, Port]]] = {}
    for service, port, number in leading(snapshot, proxy):
        if number and number not in RESERVED and port.protocol is not Protocol.UDP:
            found.setdefault(number, []).append((service, port))
    return tuple(_inbound_port(number, claims, modes.of(number), pools) for number, claims in sorted(found.items()))


def _inbound_port(number: int, claims: list[tuple[Service, Port]], mode: MtlsMode, pools: Pools) -> InboundPort:
    service, port = claims[0]
    services = {(s.namespace, s.hostname): s for s, _ in claims}
    return InboundPort(
        port=number,
        protocol=port.protocol,
        service=service,
        service_port=port.number,
        mtls=mode,
        services=tuple(services.values()),
        rivals=tuple((other, theirs) for other, theirs in claims[1:] if other is not service),
        policy=pools.of(service, port.number),
    )


def _facts(port: InboundPort) -> Hashable:
    return (
        port.port,
        port.protocol,
        port.service_port,
        port.mtls,
        tuple((s.namespace, s.hostname) for s in port.services),
        tuple((s.namespace, s.hostname, p.number, p.protocol) for s, p in port.rivals),
        port.policy,
        port.endpoint,
    )


def _names(own: Policies) -> Hashable:
    groups = (own.custom, own.audit, own.deny, own.allow, own.request_authentications)
    return tuple(tuple((o.namespace, o.name) for o in group) for group in groups)
