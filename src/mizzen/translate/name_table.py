"""The names that a client's DNS proxy answers itself (rows DN-02, DN-04, MCL-08, OL-09, OL-10, XD-13).

A host is in the table when the client sees its service and it has an address. ExternalNames are not: the cluster's own
name server follows them, and routes know them as aliases.
"""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.model.hosts import is_address
from mizzen.model.resources import NAME_TABLE, Resource
from mizzen.model.service import Endpoint, Resolution, Service
from mizzen.proto.name_table import NameTable
from mizzen.translate.catalog import Catalog
from mizzen.translate.messages import resource

KUBERNETES, EXTERNAL = "Kubernetes", "External"


def resources(catalog: Catalog) -> Iterator[Resource]:
    """One resource without a name, as Istio's agents expect it; none for proxies that have no DNS server."""
    if catalog.scope.serves_dns:
        yield resource(NAME_TABLE, "", name_table(catalog))


def name_table(catalog: Catalog) -> NameTable:
    """Every visible host and, of headless services, every pod that has a name of its own."""
    message = NameTable()
    for service in catalog.scope.services:
        members = _members(catalog, service)
        for endpoint in _named(members, catalog.scope.snapshot.config.cluster_id):
            _add_pod(message, service, endpoint)
        addresses = _addresses(catalog, service) or [endpoint.address for endpoint in members]
        if addresses:
            info = message.table[service.hostname]
            info.ips.extend(dict.fromkeys(addresses))
            info.registry = KUBERNETES if service.from_kubernetes else EXTERNAL
            if service.from_kubernetes:
                info.shortname, info.namespace = service.name, service.namespace
    return message


def _addresses(catalog: Catalog, service: Service) -> list[str]:
    """Where this client dials the service; a range is no address."""
    return [a for a in (*catalog.addresses(service), *service.addresses_v6) if "/" not in a]


def _members(catalog: Catalog, service: Service) -> tuple[Endpoint, ...]:
    """The ready endpoints of a headless service, by its first port that has any; all of them where it publishes the others."""
    if service.resolution is not Resolution.PASSTHROUGH or _addresses(catalog, service):
        return ()
    of_ports = (catalog.dialled(service, port) for port in service.ports)
    found = next((members for members in of_ports if members), ())
    config = catalog.scope.snapshot.config
    clusters = {config.cluster_id, *(config.remotes if config.features.multicluster_headless else ())}
    return tuple(e for e in found if e.healthy and is_address(e.address) and e.cluster in clusters)


def _named(members: tuple[Endpoint, ...], cluster: str) -> list[Endpoint]:
    """Those with a name of their own; of several pods of one name that of the own cluster (row MCL-08)."""
    mine = {e.workload.hostname for e in members if e.workload is not None and e.cluster == cluster}
    return [e for e in members if e.cluster == cluster or e.workload is None or e.workload.hostname not in mine]


def _add_pod(message: NameTable, service: Service, endpoint: Endpoint) -> None:
    """``hostname.subdomain.ns.svc.domain`` (row OL-10)."""
    workload = endpoint.workload
    if workload is None or not workload.hostname or workload.subdomain != service.name or not service.from_kubernetes:
        return
    info = message.table[f"{workload.hostname}.{service.hostname}"]
    info.ips.append(endpoint.address)
    info.registry, info.namespace = KUBERNETES, service.namespace
    info.shortname = f"{workload.hostname}.{workload.subdomain}"
