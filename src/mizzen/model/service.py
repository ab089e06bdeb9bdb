"""Services, workloads and endpoints. Kubernetes Services and ServiceEntries both become a Service; nothing later asks which."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from mizzen.model.identity import Identity
from mizzen.model.protocol import Protocol


class Resolution(StrEnum):
    CLIENT_SIDE = "ClientSideLB"  # EDS
    DNS = "DNSLB"
    DNS_ROUND_ROBIN = "DNSRoundRobinLB"
    PASSTHROUGH = "Passthrough"  # headless, or ServiceEntry NONE: ORIGINAL_DST
    ALIAS = "Alias"  # ExternalName
    DYNAMIC_DNS = "DynamicDNS"


class Port(Struct, frozen=True):
    """``number`` is the service port. ``target`` is the container port where it is known for all endpoints, else 0."""

    name: str
    number: int
    protocol: Protocol
    target: int = 0
    target_name: str = ""


class Locality(Struct, frozen=True, order=True):
    region: str = ""
    zone: str = ""
    subzone: str = ""


class Workload(Struct, frozen=True, kw_only=True):
    """What runs: a pod or a WorkloadEntry.

    ``name`` is the pod's name, ``workload_name`` that of its Deployment (or whatever owns it). ``tls_mode`` is
    ``istio`` when a sidecar takes mTLS for it, else ``disabled``.
    """

    name: str
    namespace: str
    address: str
    labels: dict[str, str] = {}
    identity: Identity | None = None
    locality: Locality = Locality()
    network: str = ""
    node_name: str = ""
    workload_name: str = ""
    canonical_name: str = ""
    canonical_revision: str = "latest"
    tls_mode: str = "disabled"
    ready: bool = True
    ports: tuple[Port, ...] = ()
    """Declared container ports: ``number`` is the container port."""
    uid: str = ""
    hostname: str = ""
    subdomain: str = ""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One address of a service on one of its ports. ``port`` is where to connect (the container port). An empty ``address``
    is that of a workload that is reached through a gateway of its ``network`` alone."""

    address: str
    port: int
    service_port: int
    workload: Workload | None = None
    labels: dict[str, str] = {}
    healthy: bool = True
    weight: int = 0
    locality: Locality = Locality()
    tls_mode: str = "disabled"
    identity: Identity | None = None
    network: str = ""
    """Empty: in no network, so it can be dialled from everywhere (row MN-01)."""
    cluster: str = ""
    """The id of the cluster that it runs in."""


class Service(Struct, frozen=True, kw_only=True):
    """``addresses`` are VIPs (empty for headless). ``created`` is RFC 3339 text. ``export_to`` holds namespaces,
    ``*`` or ``~``, already resolved (``.`` replaced by the own namespace)."""

    hostname: str
    name: str
    namespace: str
    ports: tuple[Port, ...]
    addresses: tuple[str, ...] = ()
    addresses_v6: tuple[str, ...] = ()
    """IPv6 VIPs: DNS answers with them, no listener has them."""
    auto_address: str = ""
    """Allocated, for clients that ask our DNS; every other client goes by ``addresses`` alone (row SE-14)."""
    resolution: Resolution = Resolution.CLIENT_SIDE
    mesh_external: bool = False
    external_name: str = ""
    selector: dict[str, str] = {}
    labels: dict[str, str] = {}
    created: str = ""
    export_to: tuple[str, ...] = ("*",)
    subject_alt_names: tuple[str, ...] = ()
    publish_not_ready: bool = False
    connect_race: bool = False
    """Of the addresses that a name has, in both IP families, the first that answers is used (row SE-07)."""
    traffic_distribution: str = ""
    """``PreferClose``, ``PreferSameZone``, ``PreferSameNode``, or empty (row LO-02)."""
    from_kubernetes: bool = True
    """True for a Kubernetes Service, whose short names (``reviews``, ``reviews.ns``) are host names too."""

    @property
    def headless(self) -> bool:
        return self.resolution is Resolution.PASSTHROUGH and self.from_kubernetes

    def port(self, number: int) -> Port | None:
        return next((port for port in self.ports if port.number == number), None)
