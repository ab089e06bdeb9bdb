"""ProxyView: what one proxy may see (Scope) and what it serves (Inbound). Proxies with equal keys share both."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mizzen.api.destination_rule import TrafficPolicy
from mizzen.api.envoy_filter import EnvoyConfigObjectPatch
from mizzen.api.gateway import ServerTLSSettings
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object
from mizzen.api.virtual_service import Destination
from mizzen.model.authorizer import Authorizer
from mizzen.model.conduct import DEFAULT_CONDUCT, Conduct
from mizzen.model.extension import Delivery, Extension
from mizzen.model.jwks import KeySource, RemoteKeySet
from mizzen.model.protocol import Protocol
from mizzen.model.proxy import ProxyType
from mizzen.model.service import Locality, Port, Service
from mizzen.model.snapshot import Snapshot

DYNAMIC_DNS = "ALLOW_ANY_DYNAMIC_DNS"
"""The outbound mode in which names that nobody declared are resolved by the proxy (row MC-02)."""


class MtlsMode(StrEnum):
    DISABLE = "DISABLE"
    PERMISSIVE = "PERMISSIVE"
    STRICT = "STRICT"


@dataclass(frozen=True)
class Policies:
    """The AuthorizationPolicy objects in force on one workload, by action, in the order of evaluation (row AP-01)."""

    custom: tuple[Object, ...] = ()
    audit: tuple[Object, ...] = ()
    deny: tuple[Object, ...] = ()
    allow: tuple[Object, ...] = ()
    request_authentications: tuple[Object, ...] = ()
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    """Those that the CUSTOM policies name and that can be asked."""
    several_authorizers: bool = False
    """Whether more than one of them may be asked; otherwise none is, and what they were to judge is denied (row AP-06)."""
    keys: Mapping[KeySource, str] = field(default_factory=dict)
    """Fetched key sets of the RequestAuthentications. One that is not here was not fetched (row RA-05)."""
    remote_keys: Mapping[KeySource, RemoteKeySet] = field(default_factory=dict)
    """Key sets that Envoy fetches itself (row RA-06)."""

    def __bool__(self) -> bool:
        return bool(self.custom or self.audit or self.deny or self.allow or self.request_authentications)


@dataclass(frozen=True)
class InboundPort:
    """One container port that at least one service leads to. ``service`` is the oldest of them (row IL-03)."""

    port: int
    protocol: Protocol
    service: Service
    service_port: int
    mtls: MtlsMode
    services: tuple[Service, ...] = ()
    rivals: tuple[tuple[Service, Port], ...] = ()
    """The other services that lead here, with the port of theirs that does."""
    policy: TrafficPolicy | None = None
    """Limits of the connections to the app: only pool and retry budget are set (rows DR-36, SC-06)."""
    endpoint: str = ""
    """A Sidecar's ``defaultEndpoint``: where the app listens; empty: at the original address (row SC-05)."""
    tls: ServerTLSSettings | None = None
    """TLS of the user's own that the proxy ends on this port, in place of the mesh's (row SC-05)."""


@dataclass(frozen=True, eq=False)
class Inbound:
    """What a sidecar serves on 15006. ``unlisted`` holds ``portLevelMtls`` ports that no service declares (row PA-08)."""

    key: Hashable
    mesh: MeshConfig
    namespace: str
    mtls: MtlsMode = MtlsMode.PERMISSIVE
    ports: tuple[InboundPort, ...] = ()
    unlisted: tuple[tuple[int, MtlsMode], ...] = ()
    policies: Policies = Policies()
    conduct: Conduct = DEFAULT_CONDUCT
    interception: str = ""
    """The pod's capture: REDIRECT (also when empty), TPROXY, or NONE, with which nothing is captured (rows TC-07, TC-08)."""
    families: str = ""
    """IP families other than IPv4 alone (row XD-09)."""
    http10: bool = False
    """Whether HTTP/1.0 is taken on ports that are declared HTTP (row PR-10)."""
    extensions: tuple[Extension, ...] = ()
    """In the order of their filters (row WP-06)."""


@dataclass(frozen=True)
class EgressListener:
    """An entry of a Sidecar's ``egress`` list, of which at least one has a port (row SC-04).

    ``bind`` is an address, a unix path or empty. ``socket``: the listener opens a socket of its own; else capture leads
    to it. ``catch_all``: the entry has no port, and takes what no other entry takes.
    """

    port: int
    protocol: Protocol
    bind: str
    socket: bool
    catch_all: bool
    services: tuple[Service, ...]
    virtual_services: tuple[Object, ...]


@dataclass(frozen=True, eq=False)
class Scope:
    """What a proxy may see, from the client's side.

    ``services`` are the visible ones, oldest first. ``virtual_services`` are those that apply to this proxy (mesh, or
    one of its gateways), in order of precedence. ``destination_rules`` maps a visible service's (namespace, hostname)
    to the one merged rule that this client uses for it (rows DR-02, DR-03). ``gateways`` are those that select a router.
    ``labels`` are only the labels that some selector or ``sourceLabels`` in the config reads.
    """

    key: Hashable
    snapshot: Snapshot
    proxy_type: ProxyType
    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    services: tuple[Service, ...] = ()
    virtual_services: tuple[Object, ...] = ()
    destination_rules: Mapping[tuple[str, str], Object] = field(default_factory=dict)
    gateways: tuple[Object, ...] = ()
    foreign_gateways: tuple[Object, ...] = ()
    """Gateways that select a router which does not serve them (row GW-26)."""
    bound_ports: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """Those of the Gateways that are bound to Services by name, in place of ``gateway_ports``."""
    gateway_ports: Mapping[int, int] = field(default_factory=dict)
    """A router's service port to the container port behind it (row GW: port translation)."""
    policies: Policies = Policies()
    """A router's own policies; a sidecar's are in its Inbound."""
    extensions: tuple[Extension, ...] = ()
    """In the order of their filters (row WP-06)."""
    outbound_mode: str = "ALLOW_ANY"
    egress_proxy: Destination | None = None
    """Where unknown traffic goes instead of straight on; its host is a full name (row SC-08)."""
    egress: tuple[EgressListener, ...] = ()
    """The listeners that a Sidecar asks for one by one; empty: all that is visible is on the usual ones (row SC-04)."""
    conduct: Conduct = DEFAULT_CONDUCT
    locality: Locality = field(default_factory=Locality)
    """Where the client runs, for locality failover (row DR-18)."""
    network: str = ""
    """The network that the client is in; empty when it is in none (row MN-01)."""
    account: str = ""
    """The service account that a router runs as; sidecars of all accounts share their Scopes."""
    lists_secrets: bool = True
    """Whether the clients' service accounts may list the Secrets of their namespace (row GW-31)."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """The client's metadata among ``PROXY_FLAGS``."""

    @property
    def mesh(self) -> MeshConfig:
        return self.snapshot.mesh

    @property
    def captures_dns(self) -> bool:
        """Whether the client's app asks the names of services of a DNS proxy of ours (row DN-01)."""
        return self.flags.get("DNS_CAPTURE", "").lower() == "true"

    @property
    def serves_dns(self) -> bool:
        """Whether the client has a DNS proxy at all; a router's has other clients than its own pod (row DN-01)."""
        return self.captures_dns or self.flags.get("ENABLE_DNS_SERVER", "").lower() == "true"

    @property
    def interception(self) -> str:
        """The client's capture, as :attr:`Inbound.interception`."""
        return self.flags.get("INTERCEPTION_MODE", "")

    @property
    def families(self) -> str:
        """IP families of the client other than IPv4 alone (row XD-09)."""
        return self.flags.get("IP_FAMILIES", "")

    @property
    def network_view(self) -> tuple[str, ...]:
        """The networks whose endpoints the client asks for; none: all (row MN-03)."""
        return tuple(word.strip() for word in self.flags.get("REQUESTED_NETWORK_VIEW", "").split(",") if word.strip())

    @property
    def http10(self) -> bool:
        """Whether the client's metadata asks for HTTP/1.0 to be taken (row PR-10)."""
        return self.flags.get("HTTP10") == "1"


@dataclass(frozen=True)
class FilterPatch:
    """``patch`` is ``spec.configPatches[index]`` of the EnvoyFilter ``owner``."""

    owner: Object
    index: int
    patch: EnvoyConfigObjectPatch


@dataclass(frozen=True, eq=False)
class Patches:
    """The EnvoyFilter patches for a proxy, in the order in which they are applied (row EF-02)."""

    key: Hashable = ()
    patches: tuple[FilterPatch, ...] = ()


NO_PATCHES = Patches()


@dataclass(frozen=True, eq=False)
class Plugins:
    """The extensions of a proxy, and how it comes to the module of each."""

    key: Hashable = ()
    entries: tuple[tuple[Extension, Delivery], ...] = ()


NO_PLUGINS = Plugins()


@dataclass(frozen=True, eq=False)
class ProxyView:
    """``inbound`` is None for a router."""

    scope: Scope
    inbound: Inbound | None = None
    patches: Patches = NO_PATCHES
    plugins: Plugins = NO_PLUGINS

    @property
    def key(self) -> Hashable:
        """Equal for two proxies of one snapshot that get the same resources."""
        served = self.inbound.key if self.inbound is not None else None
        return (self.scope.key, served, self.patches.key, self.plugins.key)
