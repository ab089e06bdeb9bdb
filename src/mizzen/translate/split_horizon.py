"""Endpoints as seen from a client's network: those of other networks are their gateways (rows MN-03, MN-04, PO-17).

A gateway knows by the SNI of mesh TLS which service is meant, so only endpoints that take mesh TLS can be behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from mizzen.api.destination_rule import TrafficPolicy
from mizzen.model.locality import topology
from mizzen.model.networks import NetworkGateway, Networks
from mizzen.model.proxy import BOTH_FAMILIES, IPV6_ONLY
from mizzen.model.service import Endpoint, Locality, Workload
from mizzen.model.view import Scope

LARGEST = 2**32 - 1
"""Of a weight, and of those of one priority together (Envoy's ``load_balancing_weight``)."""


@dataclass(frozen=True)
class Vantage:
    """Where a client stands: its network (empty: in none) and the networks that it asked for (none: all).

    Of ``networks`` only the gateways are left that the client can dial.
    """

    networks: Networks
    network: str = ""
    view: tuple[str, ...] = ()

    @classmethod
    def of(cls, scope: Scope) -> Vantage:
        """That of the proxies of ``scope``. In a mesh without gateways of networks they all stand at the same place."""
        networks = scope.snapshot.networks
        if not networks.gateways:
            return NOWHERE
        wanted = {IPV6_ONLY: (6,), BOTH_FAMILIES: (4, 6)}.get(scope.families, (4,))
        usable = tuple(g for g in networks.gateways if (6 if ":" in g.address else 4) in wanted)
        return cls(Networks(usable), scope.network, tuple(sorted(scope.network_view)))

    @property
    def several(self) -> bool:
        """Whether the mesh has networks that are told apart at all."""
        return bool(self.networks.gateways)


NOWHERE = Vantage(Networks())


def carries_mtls(endpoint: Endpoint, policy: TrafficPolicy, *, auto_mtls: bool) -> bool:
    """Whether a client goes to ``endpoint`` by mesh TLS: as the rule says, else if there is a sidecar (row MN-03)."""
    if policy.tls is not None:
        return policy.tls.mode == "ISTIO_MUTUAL"
    return auto_mtls and endpoint.tls_mode == "istio"


def reachable(
    vantage: Vantage, endpoints: Iterable[Endpoint], policy: TrafficPolicy, *, auto_mtls: bool
) -> tuple[Endpoint, ...]:
    """``endpoints`` that the client can dial, and for each locality the gateways in place of the others."""
    if not vantage.several:
        return tuple(endpoint for endpoint in endpoints if endpoint.address)
    scale = vantage.networks.scale
    direct: list[Endpoint] = []
    behind: dict[tuple[Locality, NetworkGateway], list[Endpoint]] = {}
    for endpoint in endpoints:
        if vantage.view and endpoint.network and endpoint.network not in vantage.view:
            continue
        weight = min((endpoint.weight or 1) * scale, LARGEST)
        gateways = _between(vantage, endpoint)
        if not gateways:
            if endpoint.address:
                direct.append(replace(endpoint, weight=weight))
        elif carries_mtls(endpoint, policy, auto_mtls=auto_mtls):
            share = replace(endpoint, weight=weight // len(gateways))
            for gateway in gateways:
                behind.setdefault((endpoint.locality, gateway), []).append(share)
    through = (_gateway(locality, gateway, behind[(locality, gateway)]) for locality, gateway in sorted(behind))
    return (*direct, *through)


def _between(vantage: Vantage, endpoint: Endpoint) -> tuple[NetworkGateway, ...]:
    """What the client has to go through; nothing: it reaches the endpoint itself."""
    if endpoint.network in ("", vantage.network):
        return ()
    return vantage.networks.to(endpoint.network, endpoint.cluster)


def _gateway(locality: Locality, gateway: NetworkGateway, behind: list[Endpoint]) -> Endpoint:
    """It counts as much as the healthy endpoints behind it, and as unhealthy when there are none."""
    healthy = [endpoint for endpoint in behind if endpoint.healthy]
    return Endpoint(
        address=gateway.address,
        port=gateway.port,
        service_port=0,
        workload=_workload(behind),
        labels=topology(gateway.network, gateway.cluster, ""),
        healthy=bool(healthy),
        weight=min(sum(endpoint.weight for endpoint in healthy or behind), LARGEST) or 1,
        locality=locality,
        tls_mode="istio",
        network=gateway.network,
        cluster=gateway.cluster,
    )


def _workload(behind: list[Endpoint]) -> Workload | None:
    """What the client's metrics call the server: known when all that is behind the gateway are replicas of one workload."""
    facts = ("workload_name", "namespace", "canonical_name", "canonical_revision")
    first = behind[0].workload
    if first is None:
        return None
    for endpoint in behind:
        other = endpoint.workload
        if other is None or any(getattr(first, name) != getattr(other, name) for name in facts):
            return None
    labels = {name: first.labels[name] for name in ("app", "version") if name in first.labels}
    return replace(first, name="", address="", node_name="", labels=labels)


def once(endpoints: Sequence[Endpoint], order: Sequence[int]) -> list[tuple[Endpoint, int]]:
    """Each address in the first of its priorities only, with its weights there added up.

    Envoy keeps the first of several endpoints with one address, and a gateway may stand for several localities.
    """
    found: dict[tuple[str, int], tuple[Endpoint, int]] = {}
    for priority, endpoint in sorted(zip(order, endpoints, strict=True), key=lambda entry: entry[0]):
        place = (endpoint.address, endpoint.port)
        held = found.get(place)
        if held is None:
            found[place] = (endpoint, priority)
        elif held[1] == priority:
            found[place] = (_added(held[0], endpoint), priority)
    return list(found.values())


def _added(one: Endpoint, other: Endpoint) -> Endpoint:
    if one.healthy != other.healthy:
        return one if one.healthy else other
    return replace(one, weight=min((one.weight or 1) + (other.weight or 1), LARGEST))
