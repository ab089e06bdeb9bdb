"""What one kind of client may see: services, routes and rules (rows DR-02, SC-01, SC-02, SC-11, VS-06 to VS-08)."""

from __future__ import annotations

from collections.abc import Hashable

from msgspec.structs import replace

from mizzen.api.sidecar import OutboundTrafficPolicy, Sidecar
from mizzen.api.virtual_service import Destination
from mizzen.model.hosts import full_name
from mizzen.model.proxy import PROXY_FLAGS, Proxy, ProxyType
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import Policies, Scope
from mizzen.resolve import egress_listeners, extensions, visible
from mizzen.resolve.conduct import conduct
from mizzen.resolve.destination_rules import by_namespace, rule_for
from mizzen.resolve.gateways import bound_ports, gateway_ports, merged
from mizzen.resolve.policies import policies_of
from mizzen.resolve.sidecars import Egress, of_sidecar, sidecar_for
from mizzen.resolve.virtual_services import MESH


def scope(snapshot: Snapshot, proxy: Proxy, key: Hashable, labels: dict[str, str]) -> Scope:
    """The Scope that every proxy with this ``key`` shares. ``labels`` are the ones that some selector reads."""
    mesh = snapshot.mesh
    router = proxy.type is ProxyType.ROUTER
    sidecar = None if router else sidecar_for(snapshot.sidecars, proxy.namespace, proxy.labels, mesh.root_namespace)
    body: Sidecar | None = sidecar.body if sidecar else None
    egress = Egress(of_sidecar(body), proxy.namespace)
    gateways, foreign = merged(snapshot, proxy) if router else ((), ())
    attached = {f"{obj.namespace}/{obj.name}" for obj in gateways} if router else {MESH}
    routes = visible.routes(snapshot.virtual_services, proxy.namespace, attached, egress)
    traffic = body.outbound_traffic_policy if body and body.outbound_traffic_policy else mesh.outbound_traffic_policy
    beyond = _egress_proxy(traffic, proxy.namespace, snapshot.config.domain)
    own = conduct(snapshot, proxy)
    uncaptured = proxy.flags.get("INTERCEPTION_MODE") == "NONE"
    listeners = egress_listeners.listeners(
        body, proxy.namespace, snapshot.services, routes, beyond, uncaptured=uncaptured
    )
    if listeners:
        services = egress_listeners.united(snapshot.services, listeners, own.hostnames)
    else:
        imported = [*visible.destinations(routes), *([beyond] if beyond is not None else ())]
        seen = visible.services(snapshot.services, proxy.namespace, egress, imported, sinks=own.hostnames)
        services = tuple(item.narrowed() for item in seen)
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
        foreign_gateways=foreign,
        gateway_ports=gateway_ports(snapshot, proxy) if router else {},
        bound_ports=bound_ports(snapshot, proxy, gateways) if router else {},
        policies=policies_of(snapshot, proxy.namespace, proxy.labels) if router else Policies(),
        extensions=extensions.of_proxy(snapshot, proxy.namespace, proxy.labels),
        outbound_mode=traffic.mode,
        egress_proxy=beyond,
        egress=listeners,
        conduct=own,
        locality=proxy.locality,
        network=proxy.network,
        account=proxy.service_account if router else "",
        lists_secrets=snapshot.secret_access.allows(proxy.namespace, proxy.service_account),
        flags={flag: proxy.flags[flag] for flag in PROXY_FLAGS if flag in proxy.flags},
    )


def _egress_proxy(traffic: OutboundTrafficPolicy, namespace: str, domain: str) -> Destination | None:
    """Only with ALLOW_ANY, and only with a port (row SC-08)."""
    proxy = traffic.egress_proxy
    if proxy is None or proxy.port is None or traffic.mode != "ALLOW_ANY":
        return None
    return replace(proxy, host=full_name(proxy.host, namespace, domain))
