"""What one kind of client may see: services, routes and rules (rows DR-02, SC-01, SC-02, SC-11, VS-06 to VS-08)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from msgspec.structs import replace

from mizzen.api.meta import Object
from mizzen.api.sidecar import OutboundTrafficPolicy, Sidecar
from mizzen.api.virtual_service import Destination
from mizzen.model.hosts import covers, full_name
from mizzen.model.proxy import PROXY_FLAGS, Proxy, ProxyType
from mizzen.model.service import Service
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import Policies, Scope
from mizzen.resolve import exports
from mizzen.resolve.conduct import conduct
from mizzen.resolve.destination_rules import by_namespace, rule_for
from mizzen.resolve.policies import policies_of
from mizzen.resolve.selection import leading
from mizzen.resolve.sidecars import Egress, sidecar_for
from mizzen.resolve.virtual_services import MESH

_NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation"


def scope(snapshot: Snapshot, proxy: Proxy, key: Hashable, labels: dict[str, str]) -> Scope:
    """The Scope that every proxy with this ``key`` shares. ``labels`` are the ones that some selector reads."""
    mesh = snapshot.mesh
    router = proxy.type is ProxyType.ROUTER
    sidecar = None if router else sidecar_for(snapshot.sidecars, proxy.namespace, proxy.labels, mesh.root_namespace)
    body: Sidecar | None = sidecar.body if sidecar else None
    egress = Egress(body, proxy.namespace)
    gateways = (
        tuple(obj for obj in snapshot.gateways if obj.body.selector.items() <= proxy.labels.items()) if router else ()
    )
    attached = {f"{obj.namespace}/{obj.name}" for obj in gateways} if router else {MESH}
    routes = tuple(_virtual_services(snapshot.virtual_services, proxy.namespace, attached, egress))
    traffic = body.outbound_traffic_policy if body and body.outbound_traffic_policy else mesh.outbound_traffic_policy
    beyond = _egress_proxy(traffic, proxy.namespace, snapshot.config.domain)
    own = conduct(snapshot, proxy)
    services = _visible(snapshot.services, proxy.namespace, egress, routes, beyond, frozenset(own.hostnames))
    rules = by_namespace(snapshot.destination_rules)
    chosen = ((s, rule_for(rules, s, proxy.namespace, labels, mesh.root_namespace)) for s in services)
    return Scope(
        key=key,
        snapshot=snapshot,
        proxy_type=proxy.type,
        namespace=proxy.namespace,
        labels=labels,
        services=services,
        virtual_services=routes,
        destination_rules={(s.namespace, s.hostname): rule for s, rule in chosen if rule is not None},
        gateways=gateways,
        gateway_ports=_gateway_ports(snapshot, proxy) if router else {},
        policies=policies_of(snapshot, proxy.namespace, proxy.labels) if router else Policies(),
        outbound_mode=traffic.mode,
        egress_proxy=beyond,
        conduct=own,
        locality=proxy.locality,
        flags={flag: proxy.flags[flag] for flag in PROXY_FLAGS if flag in proxy.flags},
    )


def _virtual_services(objects: Iterable[Object], namespace: str, attached: set[str], egress: Egress) -> list[Object]:
    """In order of precedence: private ones, those exported by name, public ones; each oldest first (row VS-08)."""
    seen = [
        obj
        for obj in objects
        if exports.visible(obj.body.export_to, namespace)
        and not attached.isdisjoint(obj.body.gateways)
        and (MESH not in attached or any(egress.concerns(obj.namespace, host) for host in obj.body.hosts))
    ]
    return sorted(seen, key=lambda obj: exports.rank(obj.body.export_to, obj.namespace, namespace))


def _visible(
    services: Iterable[Service],
    namespace: str,
    egress: Egress,
    routes: Iterable[Object],
    beyond: Destination | None,
    sinks: frozenset[str],
) -> tuple[Service, ...]:
    """Visible services, one per hostname: the own namespace's, then Kubernetes' over others, then the oldest (row SC-11).

    Destinations of the routes are imported even when the Sidecar does not list them (row SC-03). ``sinks`` take traces
    and logs: Envoy refuses a listener that names a collector whose cluster it lacks, so nothing hides them (TR-10).
    """
    imported = {r.destination.host for obj in routes for http in obj.body.http for r in http.route if r.destination}
    imported |= {beyond.host} if beyond is not None else set()
    imported |= {
        r.destination.host
        for obj in routes
        for s in (obj.body.tcp, obj.body.tls)
        for route in s
        for r in route.route
        if r.destination
    }
    chosen: dict[str, Service] = {}
    for service in services:
        listed = egress.sees(service.namespace, service.hostname) or any(
            covers(service.hostname, host) for host in imported
        )
        if service.hostname not in sinks and (not listed or not exports.visible(service.export_to, namespace)):
            continue
        held = chosen.get(service.hostname)
        if held is None or _closeness(service, namespace) < _closeness(held, namespace):
            chosen[service.hostname] = service
    kept = {id(service) for service in chosen.values()}
    return tuple(service for service in services if id(service) in kept)


def _egress_proxy(traffic: OutboundTrafficPolicy, namespace: str, domain: str) -> Destination | None:
    """Only with ALLOW_ANY, and only with a port (row SC-08)."""
    proxy = traffic.egress_proxy
    if proxy is None or proxy.port is None or traffic.mode != "ALLOW_ANY":
        return None
    return replace(proxy, host=full_name(proxy.host, namespace, domain))


def _closeness(service: Service, namespace: str) -> tuple[bool, bool]:
    return (service.namespace != namespace, not service.from_kubernetes)


def _gateway_ports(snapshot: Snapshot, proxy: Proxy) -> dict[int, int]:
    """Service port to container port, by the services that select the gateway's pod (row GW-02)."""
    found: dict[int, int] = {}
    for service, port, number in leading(snapshot, proxy):
        if _NO_TRANSLATION not in service.labels:
            found.setdefault(port.number, number or port.number)
    return found
