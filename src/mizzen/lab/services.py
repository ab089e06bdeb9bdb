"""Services: their addresses, EndpointSlices, node rules and names. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from mizzen.lab.dns import DOMAIN, Records
from mizzen.lab.vip import Backend, Virtual
from mizzen.lab.workloads import is_ready, owner, short_hash

Raw = dict[str, Any]
NAME_LABEL = "kubernetes.io/service-name"


def needs_address(service: Raw) -> bool:
    spec = service.get("spec") or {}
    return spec.get("type", "ClusterIP") != "ExternalName" and spec.get("clusterIP") != "None"


def assign(services: Sequence[Raw], network: IPv4Network) -> dict[tuple[str, str], str]:
    """An address for each service that needs one and has none of ``network``: (namespace, name) -> address.

    Addresses that services have stay; the rest is handed out in the order of names, the first ten are kept free.
    """
    used, missing = set(), []
    for service in services:
        if not needs_address(service):
            continue
        address = str((service.get("spec") or {}).get("clusterIP") or "")
        if address and address not in used and _inside(address, network):
            used.add(address)
        else:
            missing.append((service["metadata"]["namespace"], service["metadata"]["name"]))
    free = (str(network[index]) for index in range(10, network.num_addresses - 1))
    return {key: next(address for address in free if address not in used) for key in sorted(missing)}


def _inside(address: str, network: IPv4Network) -> bool:
    try:
        return address in {str(network.network_address)} or IPv4Network(address).subnet_of(network)
    except ValueError:
        return False


def endpoint_slices(service: Raw, pods: Iterable[Raw], node: str = "") -> list[Raw]:
    """One slice per distinct set of target ports, sorted by pod name; nothing for a service without selector."""
    selector = (service.get("spec") or {}).get("selector")
    if not selector:
        return []
    meta = service["metadata"]
    chosen = [p for p in pods if p["metadata"]["namespace"] == meta["namespace"] and _selects(selector, p)]
    groups: dict[tuple[tuple[str, int, str], ...], list[Raw]] = defaultdict(list)
    for pod in sorted(chosen, key=lambda p: str(p["metadata"]["name"])):
        if (pod.get("status") or {}).get("podIP") and (pod["status"].get("phase") not in ("Succeeded", "Failed")):
            groups[tuple(_ports(service, pod))].append(pod)
    if not groups:
        groups[()] = []
    slices = []
    for ports, members in sorted(groups.items()):
        labels = {
            **(meta.get("labels") or {}),
            NAME_LABEL: meta["name"],
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }
        if not needs_address(service):
            labels["service.kubernetes.io/headless"] = ""
        slices.append(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"{meta['name']}-{short_hash(ports, 5)}",
                    "namespace": meta["namespace"],
                    "labels": labels,
                    "ownerReferences": [owner(service)],
                },
                "addressType": "IPv4",
                "ports": [{"name": name, "port": number, "protocol": protocol} for name, number, protocol in ports],
                "endpoints": [_endpoint(service, pod, node) for pod in members],
            }
        )
    return slices


def _selects(selector: Mapping[str, str], pod: Raw) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in selector.items())


def _endpoint(service: Raw, pod: Raw, node: str) -> Raw:
    meta, spec = pod["metadata"], pod.get("spec") or {}
    leaving = bool(meta.get("deletionTimestamp"))
    ready = is_ready(pod)
    always = bool((service.get("spec") or {}).get("publishNotReadyAddresses"))
    endpoint: Raw = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": always or (ready and not leaving), "serving": ready, "terminating": leaving},
        "targetRef": {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta.get("uid", "")},
        "nodeName": spec.get("nodeName") or node,
    }
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        endpoint["hostname"] = spec["hostname"]
    return endpoint


def _ports(service: Raw, pod: Raw) -> list[tuple[str, int, str]]:
    found = []
    for port in service["spec"].get("ports") or []:
        target = port.get("targetPort") or port.get("port")
        number = target if isinstance(target, int) else _named(pod, str(target), port.get("protocol") or "TCP")
        if number:
            found.append((port.get("name") or "", int(number), port.get("protocol") or "TCP"))
    return found


def _named(pod: Raw, name: str, protocol: str) -> int:
    spec = pod.get("spec") or {}
    if name.isdigit():
        return int(name)
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        for port in container.get("ports") or []:
            if port.get("name") == name and (port.get("protocol") or "TCP") == protocol:
                return int(port["containerPort"])
    return 0


def virtuals(service: Raw, slices: Iterable[Raw]) -> list[Virtual]:
    """What the node translates for one service: its address, and the address of a load balancer likewise."""
    spec = service.get("spec") or {}
    address = spec.get("clusterIP")
    if not needs_address(service) or not address:
        return []
    found = []
    mine = list(slices)
    for port in spec.get("ports") or []:
        protocol = str(port.get("protocol") or "TCP").lower()
        if protocol not in ("tcp", "udp"):
            continue
        backends = tuple(sorted(set(_backends(mine, port.get("name") or "", protocol.upper()))))
        found.append(Virtual(address, int(port["port"]), protocol, backends))
    return found


def _backends(slices: Iterable[Raw], name: str, protocol: str) -> Iterable[Backend]:
    for item in slices:
        for port in item.get("ports") or []:
            if (port.get("name") or "") == name and (port.get("protocol") or "TCP") == protocol:
                for endpoint in item.get("endpoints") or []:
                    if (endpoint.get("conditions") or {}).get("ready", True):
                        yield from (Backend(address, int(port["port"])) for address in endpoint.get("addresses") or [])


def of_service(slices: Iterable[Raw]) -> dict[tuple[str, str], list[Raw]]:
    """Slices by (namespace, service name)."""
    found: dict[tuple[str, str], list[Raw]] = defaultdict(list)
    for item in slices:
        name = (item["metadata"].get("labels") or {}).get(NAME_LABEL)
        if name:
            found[(item["metadata"]["namespace"], name)].append(item)
    return found


def records(services: Iterable[Raw], slices: Mapping[tuple[str, str], Sequence[Raw]]) -> Records:
    """The names of the mesh's zone."""
    found = Records()
    for service in services:
        meta, spec = service["metadata"], service.get("spec") or {}
        name = f"{meta['name']}.{meta['namespace']}.svc.{DOMAIN}".lower()
        if spec.get("type") == "ExternalName":
            found.aliases[name] = str(spec.get("externalName", ""))
            continue
        mine = slices.get((meta["namespace"], meta["name"]), ())
        if needs_address(service):
            found.addresses[name] = (spec["clusterIP"],) if spec.get("clusterIP") else ()
            if spec.get("clusterIP"):
                found.names[_reverse(spec["clusterIP"])] = name
        else:
            _headless(found, name, mine)
        for port in spec.get("ports") or []:
            if port.get("name"):
                found.ports[f"_{port['name']}._{str(port.get('protocol') or 'TCP').lower()}.{name}"] = (
                    (int(port["port"]), name),
                )
    return found


def _headless(found: Records, name: str, slices: Sequence[Raw]) -> None:
    everyone: list[str] = []
    for item in slices:
        for endpoint in item.get("endpoints") or []:
            if (endpoint.get("conditions") or {}).get("ready", True):
                everyone += endpoint.get("addresses") or []
                if endpoint.get("hostname"):
                    found.addresses[f"{endpoint['hostname']}.{name}".lower()] = tuple(endpoint["addresses"])
    found.addresses[name] = tuple(sorted(set(everyone)))


def _reverse(address: str) -> str:
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"
