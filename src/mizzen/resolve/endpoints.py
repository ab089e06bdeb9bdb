"""EndpointSlices, pods and ServiceEntry endpoints become the endpoints of each service port (rows OL-12, OL-18, PA-10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mizzen.api.kubernetes import EndpointSlice, SliceEndpoint
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.api.service_entry import ServiceEntry
from mizzen.model.config import ObjectKey
from mizzen.model.protocol import Protocol
from mizzen.model.service import Endpoint, Port, Service, Workload
from mizzen.model.snapshot import EndpointKey
from mizzen.model.view import MtlsMode
from mizzen.resolve.mtls import PeerPolicies
from mizzen.resolve.workloads import of_entry

SERVICE_NAME = "kubernetes.io/service-name"


def endpoints(
    services: Iterable[Service],
    slices: Mapping[ObjectKey, Object],
    entries: Mapping[ObjectKey, Object],
    workload_entries: Mapping[ObjectKey, Object],
    workloads: Mapping[str, Workload],
    peers: PeerPolicies,
    mesh: MeshConfig,
) -> dict[EndpointKey, tuple[Endpoint, ...]]:
    """Endpoints by service port, sorted by address. Not-ready ones are kept as unhealthy, terminating ones left out."""
    by_service: dict[tuple[str, str], list[Object]] = {}
    for obj in slices.values():
        by_service.setdefault((obj.namespace, obj.meta.labels.get(SERVICE_NAME, "")), []).append(obj)
    by_host = {
        (obj.namespace, host): obj
        for obj in sorted(entries.values(), key=lambda o: o.age_key, reverse=True)
        for host in obj.body.hosts
    }
    by_namespace: dict[str, list[Workload]] = {}
    for workload in workloads.values():
        by_namespace.setdefault(workload.namespace, []).append(workload)
    listed = {obj.body.address: obj.body.ports for obj in workload_entries.values()}

    found: dict[EndpointKey, tuple[Endpoint, ...]] = {}
    for service in services:
        for port in service.ports:
            if port.protocol is Protocol.UDP:
                continue
            members: list[Endpoint] = []
            if service.from_kubernetes:
                members += _of_slices(service, port, by_service.get((service.namespace, service.name), ()), workloads)
            entry = by_host.get((service.namespace, service.hostname))
            if entry is not None:
                members += _of_entry(port, entry, by_namespace.get(service.namespace, ()), listed, mesh)
            if members:
                unique = {(e.address, e.port): _with_mode(e, peers) for e in members}
                found[(service.namespace, service.hostname, port.number)] = tuple(unique[key] for key in sorted(unique))
    return found


def _of_slices(
    service: Service, port: Port, slices: Iterable[Object], workloads: Mapping[str, Workload]
) -> Iterable[Endpoint]:
    for obj in slices:
        body: EndpointSlice = obj.body
        if body.address_type != "IPv4":
            continue
        numbers = [p.port for p in body.ports if p.name == port.name and p.protocol != "UDP"]
        for number in numbers:
            for endpoint in body.endpoints:
                yield from _of_slice_endpoint(service, port, number, endpoint, workloads)


def _of_slice_endpoint(
    service: Service, port: Port, number: int, endpoint: SliceEndpoint, workloads: Mapping[str, Workload]
) -> Iterable[Endpoint]:
    conditions = endpoint.conditions
    if conditions.terminating and not service.publish_not_ready:
        return
    healthy = conditions.ready is not False or service.publish_not_ready
    for address in endpoint.addresses:
        workload = workloads.get(address)
        if workload is None:
            yield Endpoint(address=address, port=number, service_port=port.number, healthy=healthy)
        else:
            yield _member(workload, number, port, healthy)


def _of_entry(
    port: Port, obj: Object, candidates: Iterable[Workload], listed: Mapping[str, dict[str, int]], mesh: MeshConfig
) -> Iterable[Endpoint]:
    entry: ServiceEntry = obj.body
    for item in entry.endpoints:
        workload = of_entry(item, obj.namespace, mesh)
        yield _member(workload, item.ports.get(port.name, port.target or port.number), port, True, item.weight)
    if entry.workload_selector is not None:
        for workload in candidates:
            if entry.workload_selector.matches(workload.labels):
                own = listed.get(workload.address, {})
                yield _member(workload, own.get(port.name, port.target or port.number), port, workload.ready)


def _member(workload: Workload, number: int, port: Port, healthy: bool, weight: int = 0) -> Endpoint:
    return Endpoint(
        address=workload.address,
        port=number,
        service_port=port.number,
        workload=workload,
        labels=workload.labels,
        healthy=healthy,
        weight=weight,
        locality=workload.locality,
        tls_mode=workload.tls_mode,
        identity=workload.identity,
    )


def _with_mode(endpoint: Endpoint, peers: PeerPolicies) -> Endpoint:
    """A server that takes no mTLS on this port counts as one without sidecar (row PA-10)."""
    workload = endpoint.workload
    if workload is None or endpoint.tls_mode != "istio":
        return endpoint
    if peers.modes(workload.namespace, workload.labels).of(endpoint.port) is not MtlsMode.DISABLE:
        return endpoint
    return Endpoint(
        address=endpoint.address,
        port=endpoint.port,
        service_port=endpoint.service_port,
        workload=workload,
        labels=endpoint.labels,
        healthy=endpoint.healthy,
        weight=endpoint.weight,
        locality=endpoint.locality,
        identity=endpoint.identity,
    )
