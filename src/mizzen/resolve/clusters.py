"""Several clusters become one mesh: services of one name are one, with the endpoints of all (rows MCL-03 to MCL-05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.mesh_networks import MeshNetworks
from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.networks import Networks
from mizzen.model.remote import Remote
from mizzen.model.service import Endpoint, Service, Workload
from mizzen.model.snapshot import EndpointKey
from mizzen.resolve.cluster_local import ClusterLocal
from mizzen.resolve.endpoints import endpoints
from mizzen.resolve.mtls import PeerPolicies
from mizzen.resolve.networks import networks, placement
from mizzen.resolve.services import services
from mizzen.resolve.steps import Run
from mizzen.resolve.workloads import workloads

_NOTHING: Mapping[ObjectKey, Object] = {}


@dataclass(frozen=True, eq=False)
class Registry:
    """What runs in one cluster, or in all of them."""

    services: tuple[Service, ...]
    workloads: Mapping[str, Workload]
    endpoints: Mapping[EndpointKey, tuple[Endpoint, ...]]
    networks: Networks


@dataclass(frozen=True, eq=False)
class Mesh:
    """What the registries of other clusters are made with."""

    config: MeshConfig
    networks: MeshNetworks
    addresses: Mapping[str, tuple[str, ...]]
    peers: PeerPolicies
    domain: str


def registry(run: Run, cluster: str, remote: Remote, mesh: Mesh) -> Registry:
    """What counts of another cluster, in steps of its own."""

    def step(name: str, function: Any, *inputs: Any) -> Any:
        return run.step(f"{name} of {cluster}", function, *inputs)

    config = step("mesh", _trusting, mesh.config, remote.trust_domain)
    own, nodes, spaces = remote.of("Service"), remote.of("Node"), remote.of("Namespace")
    found = step("services", _crossing, own, spaces, config, mesh.domain)
    entries = remote.of("WorkloadEntry")
    running = step("workloads", workloads, remote.of("Pod"), entries, nodes, config)
    places = step("placement", placement, mesh.networks, spaces, config.root_namespace, cluster)
    slices = remote.of("EndpointSlice")
    members = step("endpoints", endpoints, found, slices, _NOTHING, entries, running, mesh.peers, places, config)
    entered = step("networks", networks, mesh.networks, own, nodes, _NOTHING, mesh.addresses, cluster, mesh.domain)
    return Registry(found, running, members, entered)


def united(run: Run, own: Registry, others: Mapping[str, Registry]) -> Registry:
    """``own`` with what the other clusters add; itself where there are none."""
    if not others:
        return own
    rest = [others[cluster] for cluster in sorted(others)]
    return Registry(
        run.step("all services", _services, own.services, *(r.services for r in rest)),
        run.step("all workloads", _workloads, own.workloads, *(r.workloads for r in rest)),
        run.step("all endpoints", _endpoints, own.endpoints, *(r.endpoints for r in rest)),
        run.step("all networks", _networks, own.networks, *(r.networks for r in rest)),
    )


def _trusting(mesh: MeshConfig, trust_domain: str) -> MeshConfig:
    return replace(mesh, trust_domain=trust_domain) if trust_domain else mesh


def _crossing(
    written: Mapping[ObjectKey, Object], namespaces: Mapping[ObjectKey, Object], mesh: MeshConfig, domain: str
) -> tuple[Service, ...]:
    """The services that others see."""
    local = ClusterLocal(mesh, domain)
    found = services(written, _NOTHING, namespaces, mesh, domain)
    return tuple(service for service in found if service.hostname not in local)


def _services(own: tuple[Service, ...], *others: tuple[Service, ...]) -> tuple[Service, ...]:
    """A service that is here keeps its facts and addresses; one that is not has those of the first cluster with it, and
    no selector, as it leads to no workload of this one."""
    found = {(service.namespace, service.hostname): service for service in own}
    for services_of in others:
        for service in services_of:
            found.setdefault((service.namespace, service.hostname), replace(service, selector={}))
    return tuple(sorted(found.values(), key=lambda s: (s.created, s.name, s.namespace, s.hostname)))


def _workloads(*every: Mapping[str, Workload]) -> dict[str, Workload]:
    """By address. Networks may use one address twice: here the own cluster's counts."""
    return {address: workload for some in reversed(every) for address, workload in some.items()}


def _endpoints(*every: Mapping[EndpointKey, tuple[Endpoint, ...]]) -> dict[EndpointKey, tuple[Endpoint, ...]]:
    found: dict[EndpointKey, tuple[Endpoint, ...]] = {}
    for some in every:
        for key, members in some.items():
            found[key] = (*found[key], *members) if key in found else members
    return found


def _networks(*every: Networks) -> Networks:
    gateways = {gateway for some in every for gateway in some.gateways}
    return Networks(tuple(sorted(gateways)), tuple(sorted({name for some in every for name in some.names})))
