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
from mizzen.model.service import Endpoint, Locality
from mizzen.model.view import Scope

_LARGEST = 2**32 - 1
"""Of a weight (Envoy's ``load_balancing_weight``)."""


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
    behind: dict[tuple[Locality, NetworkGateway], list[tuple[int, bool]]] = {}
    for endpoint in endpoints:
        if vantage.view and endpoint.network and endpoint.network not in vantage.view:
            continue
        weight = min((endpoint.weight or 1) * scale, _LARGEST)
        gateways = _between(vantage, endpoint)
        if not gateways:
            if endpoint.address:
                direct.append(replace(endpoint, weight=weight))
        elif carries_mtls(endpoint, policy, auto_mtls=auto_mtls):
            for gateway in gateways:
                shares = behind.setdefault((endpoint.locality, gateway), [])
                shares.append((weight // len(gateways), endpoint.healthy))
    through = (_gateway(locality, gateway, behind[(locality, gateway)]) for locality, gateway in sorted(behind))
    return (*direct, *through)


def _between(vantage: Vantage, endpoint: Endpoint) -> tuple[NetworkGateway, ...]:
    """What the client has to go through; nothing: it reaches the endpoint itself."""
    if endpoint.network in ("", vantage.network):
        return ()
    return vantage.networks.to(endpoint.network, endpoint.cluster)


def _gateway(locality: Locality, gateway: NetworkGateway, shares: list[tuple[int, bool]]) -> Endpoint:
    """It counts as much as the healthy endpoints behind it, and as unhealthy when there are none."""
    healthy = [share for share, good in shares if good]
    return Endpoint(
        address=gateway.address,
        port=gateway.port,
        service_port=0,
        labels=topology(gateway.network, gateway.cluster, ""),
        healthy=bool(healthy),
        weight=min(sum(healthy or [share for share, _ in shares]), _LARGEST) or 1,
        locality=locality,
        tls_mode="istio",
        network=gateway.network,
        cluster=gateway.cluster,
    )


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
    return replace(one, weight=min((one.weight or 1) + (other.weight or 1), _LARGEST))
