"""Kubernetes Services and ServiceEntries become Services, oldest first (rows SE-01 to SE-08, SE-15, SE-16, OL-11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from mizzen.api import kubernetes as k8s
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.api.service_entry import ServiceEntry
from mizzen.model.config import ObjectKey
from mizzen.model.service import Port, Resolution, Service
from mizzen.resolve import exports, ports
from mizzen.resolve.allocation import with_addresses
from mizzen.resolve.entry_visibility import EntryVisibility

_RESOLUTIONS = {
    "NONE": Resolution.PASSTHROUGH,
    "STATIC": Resolution.CLIENT_SIDE,
    "DNS": Resolution.DNS,
    "DNS_ROUND_ROBIN": Resolution.DNS_ROUND_ROBIN,
    "DYNAMIC_DNS": Resolution.DYNAMIC_DNS,
}

_SPIFFE = "spiffe://"
_STRATEGY = "istio.io/connect-strategy"
_DISTRIBUTION = "networking.istio.io/traffic-distribution"
_SAME = ("resolution", "labels", "selector", "export_to", "mesh_external")


def services(
    kubernetes: Mapping[ObjectKey, Object],
    entries: Mapping[ObjectKey, Object],
    namespaces: Mapping[ObjectKey, Object],
    mesh: MeshConfig,
    domain: str,
) -> tuple[Service, ...]:
    """Every service, oldest first. Of one hostname in one namespace a Kubernetes Service beats a ServiceEntry (SE-15)."""
    limits = EntryVisibility(mesh, namespaces)
    found: dict[tuple[str, str], Service] = {}
    for obj in kubernetes.values():
        service = _kubernetes_service(obj, mesh, domain)
        found[(service.namespace, service.hostname)] = service
    for obj in sorted(entries.values(), key=lambda o: o.age_key):
        for service in _entry_services(obj, mesh, limits):
            held = found.setdefault((service.namespace, service.hostname), service)
            if held.from_kubernetes and service.created >= held.created:
                found[(service.namespace, service.hostname)] = _named(held, service)
            elif held is not service and not held.from_kubernetes and _alike(held, service):
                found[(service.namespace, service.hostname)] = _united(held, service)
    found = with_addresses(found)
    return tuple(sorted(found.values(), key=lambda s: (s.created, s.name, s.namespace, s.hostname)))


def by_hostname(all_services: Iterable[Service]) -> dict[str, tuple[Service, ...]]:
    """Services by hostname; several namespaces may declare the same one."""
    found: dict[str, tuple[Service, ...]] = {}
    for service in all_services:
        found[service.hostname] = (*found.get(service.hostname, ()), service)
    return found


def _kubernetes_service(obj: Object, mesh: MeshConfig, domain: str) -> Service:
    spec: k8s.ServiceSpec = obj.body.spec
    if spec.type == "ExternalName" and spec.external_name:
        resolution = Resolution.ALIAS
    elif spec.cluster_ip == "None":
        resolution = Resolution.PASSTHROUGH
    else:
        resolution = Resolution.CLIENT_SIDE
    written = obj.meta.annotations.get(exports.ANNOTATION, "").split(",")
    return Service(
        hostname=f"{obj.name}.{obj.namespace}.svc.{domain}",
        name=obj.name,
        namespace=obj.namespace,
        ports=tuple(_service_port(port) for port in spec.ports),
        addresses=tuple(
            dict.fromkeys(ip for ip in (spec.cluster_ip, *spec.cluster_ips) if ip and ip != "None" and ":" not in ip)
        ),
        addresses_v6=tuple(dict.fromkeys(ip for ip in (spec.cluster_ip, *spec.cluster_ips) if ":" in ip)),
        resolution=resolution,
        external_name=spec.external_name.rstrip(".") if resolution is Resolution.ALIAS else "",
        selector=spec.selector,
        labels=obj.meta.labels,
        created=obj.meta.creation_timestamp,
        export_to=exports.resolved(written, mesh.default_service_export_to, obj.namespace),
        publish_not_ready=spec.publish_not_ready_addresses,
        traffic_distribution=obj.meta.annotations.get(_DISTRIBUTION, spec.traffic_distribution),
    )


def _service_port(port: k8s.ServicePort) -> Port:
    target = port.target_port if port.target_port is not None else port.port
    return Port(
        name=port.name,
        number=port.port,
        protocol=ports.of_service_port(port.name, port.port, port.protocol, port.app_protocol),
        target=target if isinstance(target, int) else 0,
        target_name=target if isinstance(target, str) else "",
    )


def _entry_services(obj: Object, mesh: MeshConfig, limits: EntryVisibility) -> Iterable[Service]:
    entry: ServiceEntry = obj.body
    written = exports.resolved(entry.export_to, mesh.default_service_export_to, obj.namespace)
    for host in entry.hosts:
        yield Service(
            hostname=host,
            name=host,
            namespace=obj.namespace,
            ports=tuple(Port(p.name, p.number, ports.of_field(p.protocol), p.target_port) for p in entry.ports),
            addresses=tuple(dict.fromkeys(_address(a) for a in entry.addresses if ":" not in a)),
            addresses_v6=tuple(dict.fromkeys(a.removesuffix("/128") for a in entry.addresses if ":" in a)),
            resolution=_RESOLUTIONS.get(entry.resolution, Resolution.PASSTHROUGH),
            mesh_external=entry.location != "MESH_INTERNAL",
            selector=entry.workload_selector.match_labels if entry.workload_selector else {},
            labels=obj.meta.labels,
            created=obj.meta.creation_timestamp,
            export_to=limits.narrowed(written, obj.namespace),
            subject_alt_names=_accounts(entry.subject_alt_names, mesh),
            connect_race=obj.meta.annotations.get(_STRATEGY) == "RACE_FIRST_TCP_CONNECT",
            traffic_distribution=obj.meta.annotations.get(_DISTRIBUTION, ""),
            from_kubernetes=False,
        )


def _alike(one: Service, other: Service) -> bool:
    """Whether two ServiceEntries of one host may be united (row SE-16)."""
    return all(getattr(one, name) == getattr(other, name) for name in _SAME)


def _named(held: Service, entry: Service) -> Service:
    """A Kubernetes Service whose servers a ServiceEntry of its host names too: of several the youngest's names count, and
    a Service that is younger than them all has none (row SE-13)."""
    return replace(held, subject_alt_names=entry.subject_alt_names)


def _accounts(names: Iterable[str], mesh: MeshConfig) -> tuple[str, ...]:
    """Each name of the mesh in every trust domain that the mesh goes by, others as they are (row SE-13)."""
    domains = (mesh.trust_domain, *mesh.trust_domain_aliases)
    found: dict[str, None] = {}
    for name in names:
        found[name] = None
        domain, slash, rest = name.removeprefix(_SPIFFE).partition("/")
        if name.startswith(_SPIFFE) and slash and domain in domains:
            found |= dict.fromkeys(f"{_SPIFFE}{other}/{rest}" for other in domains)
    return tuple(found)


def _united(older: Service, younger: Service) -> Service:
    """The ports of both; of one number the older one's (row SE-16)."""
    known = {port.number for port in older.ports}
    more = tuple(port for port in younger.ports if port.number not in known)
    addresses = tuple(dict.fromkeys((*older.addresses, *younger.addresses)))
    more_v6 = tuple(dict.fromkeys((*older.addresses_v6, *younger.addresses_v6)))
    sans = tuple(dict.fromkeys((*older.subject_alt_names, *younger.subject_alt_names)))
    return replace(
        older, ports=(*older.ports, *more), addresses=addresses, addresses_v6=more_v6, subject_alt_names=sans
    )


def _address(written: str) -> str:
    """A full-length mask is a plain address (row SE-02)."""
    return written.removesuffix("/32")
