"""Which network an address is in, and where each network is entered (rows MN-01, MN-02, PO-17, MC-30)."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from mizzen.api.kubernetes import Node, ServicePort
from mizzen.api.kubernetes import Service as KubernetesService
from mizzen.api.mesh_networks import MeshNetworks
from mizzen.api.meta import Object
from mizzen.model.config import ObjectKey
from mizzen.model.finding import Finding, Level
from mizzen.model.hosts import is_ip
from mizzen.model.locality import NETWORK
from mizzen.model.networks import NetworkGateway, Networks
from mizzen.resolve.network_listeners import DEFAULT_PORT, GATEWAY_PORT, entrances, wanted_port
from mizzen.resolve.problems import about

NODE_SELECTOR = "traffic.istio.io/nodeSelector"
NO_GATEWAY = "MZ0307"
"""A Service that carries the label of a network but cannot be its gateway."""

_AMBIENT_PORT = 15008
_Range = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Placement:
    """The network of what has no label of its own: that of its cluster's system namespace, else by ``meshNetworks``.

    ``home`` is the label of the system namespace; ``cluster`` the id that ``fromRegistry`` may name.
    """

    networks: MeshNetworks
    home: str
    cluster: str

    def of(self, address: str, labelled: str) -> str:
        """The network of ``address``; ``labelled`` is what its workload says. Empty: none (row MN-01)."""
        return labelled or self.home or self._registered or self._ranged(address)

    @cached_property
    def _registered(self) -> str:
        items = self.networks.networks.items()
        found = (name for name, of in items if any(e.from_registry == self.cluster for e in of.endpoints))
        return next(found, "")

    @cached_property
    def _ranges(self) -> list[tuple[_Range, str]]:
        """The narrowest first."""
        items = self.networks.networks.items()
        texts = [(e.from_cidr, name) for name, of in items for e in of.endpoints if e.from_cidr]
        ranges = [(ipaddress.ip_network(text, strict=False), name) for text, name in texts]
        return sorted(ranges, key=lambda entry: -entry[0].prefixlen)

    def _ranged(self, address: str) -> str:
        if not self._ranges:
            return ""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return ""
        return next((name for of, name in self._ranges if found in of), "")


def placement(
    networks: MeshNetworks, namespaces: Mapping[ObjectKey, Object], root_namespace: str, cluster: str
) -> Placement:
    """Where endpoints of ``cluster`` are, by its system namespace and the mesh's settings."""
    system = namespaces.get(("", root_namespace))
    return Placement(networks, system.meta.labels.get(NETWORK, "") if system is not None else "", cluster)


def networks(
    settings: MeshNetworks,
    services: Mapping[ObjectKey, Object],
    nodes: Mapping[ObjectKey, Object],
    gateways: Mapping[ObjectKey, Object],
    addresses: Mapping[str, tuple[str, ...]],
    cluster: str,
    domain: str,
) -> Networks:
    """The gateways that Services, Gateways of the Gateway API and ``settings`` tell of.

    ``addresses`` are those of names that were looked up.
    """
    found = set(entrances(gateways))
    registered = _by_service_name(settings, cluster)
    for obj in services.values():
        wanted = registered.get(f"{obj.name}.{obj.namespace}.svc.{domain}", [])
        labelled = obj.meta.labels.get(NETWORK, "")
        port = _labelled_port(obj) if labelled else 0
        for network, number in [*wanted, *([(labelled, port)] if port else ())]:
            published = _published(obj, number)
            found |= {NetworkGateway(network, cluster, address, published) for address in _addresses(obj, nodes)}
    for network, block in settings.networks.items():
        found |= {NetworkGateway(network, "", g.address, g.port) for g in block.gateways if g.address}
    names = {gateway for gateway in found if not is_ip(gateway.address)}
    resolved = {replace(g, address=address) for g in names for address in addresses.get(g.address, ())}
    return Networks(tuple(sorted((found - names) | resolved)), tuple(sorted({gateway.address for gateway in names})))


def network_findings(
    services: Mapping[ObjectKey, Object],
    nodes: Mapping[ObjectKey, Object],
    addresses: Mapping[str, tuple[str, ...]],
) -> tuple[Finding, ...]:
    """Services with the label of a network that are no gateway of it, and why."""
    return tuple(finding for obj in services.values() for finding in _faults(obj, nodes, addresses))


def _faults(
    obj: Object, nodes: Mapping[ObjectKey, Object], addresses: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    network, text = obj.meta.labels.get(NETWORK, ""), obj.meta.labels.get(GATEWAY_PORT, "")
    if not network:
        return
    if text and not text.isdecimal():
        message = f"label {GATEWAY_PORT}: {text!r} is no port; {DEFAULT_PORT} counts"
        yield about(obj, NO_GATEWAY, Level.WARNING, message, "metadata.labels")
    problem = _without_address(_addresses(obj, nodes), addresses) if _labelled_port(obj) else _without_port(obj)
    if problem:
        yield about(obj, NO_GATEWAY, Level.WARNING, f"no gateway of network {network}: {problem}", "metadata.labels")


def _by_service_name(settings: MeshNetworks, cluster: str) -> dict[str, list[tuple[str, int]]]:
    """(network, port) by the hostname of a Service of this cluster that is named as a gateway."""
    found: dict[str, list[tuple[str, int]]] = {}
    for name, block in settings.networks.items():
        if any(members.from_registry == cluster for members in block.endpoints):
            for gateway in block.gateways:
                if gateway.registry_service_name:
                    found.setdefault(gateway.registry_service_name, []).append((name, gateway.port))
    return found


def _labelled_port(obj: Object) -> int:
    """The port of the Service that takes mesh TLS from other networks; 0: it has none (row PO-17)."""
    wanted = wanted_port(obj.meta.labels)
    return wanted if any(port.port == wanted for port in obj.body.spec.ports) else 0


def _without_port(obj: Object) -> str:
    if any(port.port == _AMBIENT_PORT for port in obj.body.spec.ports):
        return f"port {_AMBIENT_PORT} is one of ambient mode, which has no effect"
    return f"the Service has no port {wanted_port(obj.meta.labels)}; label {GATEWAY_PORT} may name another"


def _without_address(written: tuple[str, ...], addresses: Mapping[str, tuple[str, ...]]) -> str:
    if any(is_ip(address) or addresses.get(address) for address in written):
        return ""
    if written:
        return f"no address of {', '.join(written)} is known"
    return "it has no address that other networks can reach"


def _addresses(obj: Object, nodes: Mapping[ObjectKey, Object]) -> tuple[str, ...]:
    """Where other networks reach the Service: its load balancer, external addresses, or chosen nodes (row MN-02)."""
    service: KubernetesService = obj.body
    if service.spec.type == "NodePort":
        return tuple(_nodes(obj.meta.annotations.get(NODE_SELECTOR, ""), nodes))
    balancer = (address or name for address, name in service.balancer)
    return (*filter(None, balancer), *service.spec.external_ips)


def _nodes(selector: str, nodes: Mapping[ObjectKey, Object]) -> Iterator[str]:
    """Of each chosen node the external address, else the internal one. Without a selector no node is chosen."""
    try:
        wanted = json.loads(selector)
    except ValueError:
        return
    if not isinstance(wanted, dict):
        return
    for obj in nodes.values():
        if wanted.items() <= obj.meta.labels.items():
            node: Node = obj.body
            kinds = {entry.type: entry.address for entry in reversed(node.status.addresses)}
            address = kinds.get("ExternalIP") or kinds.get("InternalIP")
            if address:
                yield address


def _published(obj: Object, number: int) -> int:
    """The number under which other networks reach the Service's port: on nodes it is another one."""
    ports: tuple[ServicePort, ...] = obj.body.spec.ports
    if obj.body.spec.type != "NodePort":
        return number
    return next((port.node_port for port in ports if port.port == number and port.node_port), number)
