"""EndpointSlices, pods and ServiceEntry endpoints become the endpoints of each service port (rows OL-12, OL-18, PA-10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from mizzen.api.kubernetes import EndpointSlice, SliceEndpoint
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object, WorkloadSelector
from mizzen.api.service_entry import ServiceEntry, WorkloadEntry
from mizzen.model.config import ObjectKey
from mizzen.model.hosts import is_address
from mizzen.model.locality import NETWORK
from mizzen.model.protocol import Protocol
from mizzen.model.service import Endpoint, Port, Resolution, Service, Workload
from mizzen.model.snapshot import EndpointKey
from mizzen.model.view import MtlsMode
from mizzen.resolve.mtls import PeerPolicies
from mizzen.resolve.networks import Placement
from mizzen.resolve.workloads import of_entry, of_object

SERVICE_NAME = "kubernetes.io/service-name"


def endpoints(
    services: Iterable[Service],
    slices: Mapping[ObjectKey, Object],
    entries: Mapping[ObjectKey, Object],
    workload_entries: Mapping[ObjectKey, Object],
    workloads: Mapping[str, Workload],
    peers: PeerPolicies,
    places: Placement,
    mesh: MeshConfig,
) -> dict[EndpointKey, tuple[Endpoint, ...]]:
    """Endpoints by service port, sorted by address. Not-ready ones are kept as unhealthy, terminating ones left out."""
    by_service: dict[tuple[str, str], list[Object]] = {}
    for obj in slices.values():
        by_service.setdefault((obj.namespace, obj.meta.labels.get(SERVICE_NAME, "")), []).append(obj)
    by_host: dict[tuple[str, str], list[Object]] = {}
    for obj in sorted(entries.values(), key=lambda o: o.age_key):
        for host in obj.body.hosts:
            by_host.setdefault((obj.namespace, host), []).append(obj)
    candidates = _Candidates(workload_entries, workloads, mesh)

    found: dict[EndpointKey, tuple[Endpoint, ...]] = {}
    for service in services:
        for port in service.ports:
            if port.protocol is Protocol.UDP:
                continue
            members: list[Endpoint] = []
            if service.from_kubernetes:
                members += _of_slices(service, port, by_service.get((service.namespace, service.name), ()), workloads)
                members += candidates.of_service(service, port)
            for entry in _declaring(by_host.get((service.namespace, service.hostname), ()), service, port):
                members += _of_entry(port, entry, candidates, mesh)
            if members:
                # Those that only a gateway reaches have no address that could tell them apart.
                unique = {
                    (e.address, e.port, 0 if e.address else index): _in_network(_with_mode(e, peers), service, places)
                    for index, e in enumerate(members)
                }
                found[(service.namespace, service.hostname, port.number)] = tuple(unique[key] for key in sorted(unique))
    return found


def _of_slices(
    service: Service, port: Port, slices: Iterable[Object], workloads: Mapping[str, Workload]
) -> Iterable[Endpoint]:
    listed = list(slices)
    families = {obj.body.address_type for obj in listed}
    # Of a Service of both families the IPv4 addresses are those of every pod.
    wanted = "IPv4" if "IPv4" in families else "IPv6"
    for obj in listed:
        body: EndpointSlice = obj.body
        if body.address_type != wanted:
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


def _declaring(entries: Sequence[Object], service: Service, port: Port) -> Iterator[Object]:
    """The oldest ServiceEntry of a host, and with it those that were united with it for this port (rows SE-15, SE-16)."""
    for obj in entries:
        first: ServiceEntry = entries[0].body
        body: ServiceEntry = obj.body
        alike = (body.resolution, body.workload_selector, obj.meta.labels) == (
            first.resolution,
            first.workload_selector,
            entries[0].meta.labels,
        )
        if alike and (service.from_kubernetes or any(p.number == port.number for p in body.ports)):
            yield obj


class _Candidates:
    """What a selector may pick: pods, and WorkloadEntries even at the address of a pod (rows SE-11, WE-01 to WE-04, WE-07)."""

    def __init__(
        self, entries: Mapping[ObjectKey, Object], workloads: Mapping[str, Workload], mesh: MeshConfig
    ) -> None:
        self._entries: dict[str, list[tuple[Workload, WorkloadEntry]]] = {}
        made: dict[str, Workload] = {}
        for key in sorted(entries):
            obj = entries[key]
            if obj.body.address or obj.body.network:
                workload = made[obj.body.address] = of_object(obj, mesh)
                self._entries.setdefault(obj.namespace, []).append((workload, obj.body))
        self._pods: dict[str, list[Workload]] = {}
        for workload in workloads.values():
            if made.get(workload.address) != workload:
                self._pods.setdefault(workload.namespace, []).append(workload)

    def of_service(self, service: Service, port: Port) -> Iterator[Endpoint]:
        """The entries that a Kubernetes Service selects beside its pods (row WE-03)."""
        if service.resolution is Resolution.CLIENT_SIDE and service.selector:
            for workload, entry in self._entries.get(service.namespace, ()):
                if _dialled(workload) and service.selector.items() <= workload.labels.items():
                    yield _of_listed(workload, entry, port)

    def of_selector(self, selector: WorkloadSelector, namespace: str, port: Port, *, dns: bool) -> Iterator[Endpoint]:
        """Pods and entries of the namespace; an entry that is a name or a socket only where names are resolved."""
        for workload in self._pods.get(namespace, ()):
            if selector.matches(workload.labels):
                yield _member(workload, port.target or port.number, port, workload.ready)
        for workload, entry in self._entries.get(namespace, ()):
            if selector.matches(workload.labels) and (dns or _dialled(workload)):
                yield _of_listed(workload, entry, port)


def _of_listed(workload: Workload, entry: WorkloadEntry, port: Port) -> Endpoint:
    return _member(workload, entry.ports.get(port.name, port.target or port.number), port, workload.ready, entry.weight)


def _of_entry(port: Port, obj: Object, candidates: _Candidates, mesh: MeshConfig) -> Iterator[Endpoint]:
    entry: ServiceEntry = obj.body
    for item in entry.endpoints:
        yield _of_listed(of_entry(item, obj.namespace, mesh), item, port)
    if entry.workload_selector is not None:
        dns = entry.resolution.startswith("DNS")
        yield from candidates.of_selector(entry.workload_selector, obj.namespace, port, dns=dns)


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
    return replace(endpoint, tls_mode="disabled")


def _dialled(workload: Workload) -> bool:
    """Whether it can be an endpoint where no names are resolved: by its address, or through its network's gateway."""
    return is_address(workload.address) or (not workload.address and bool(workload.network))


def _in_network(endpoint: Endpoint, service: Service, places: Placement) -> Endpoint:
    """With cluster and network. What is outside the mesh is in one only if it says so: everybody dials it (row MN-01)."""
    workload = endpoint.workload
    said = (workload.network if workload is not None else "") or endpoint.labels.get(NETWORK, "")
    network = said if service.mesh_external else places.of(endpoint.address, said)
    return replace(endpoint, network=network, cluster=places.cluster)
