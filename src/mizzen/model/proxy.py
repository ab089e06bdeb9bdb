"""Proxy: who asks for resources. It is frozen; history belongs to the xDS session."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from mizzen.model.extension import Fetched
from mizzen.model.service import Locality

PROXY_FLAGS = (
    "HTTP10",
    "DNS_CAPTURE",
    "DNS_AUTO_ALLOCATE",
    "ENABLE_DNS_SERVER",
    "INTERCEPTION_MODE",
    "IDLE_TIMEOUT",
    "INBOUND_LISTENER_EXACT_BALANCE",
    "OUTBOUND_LISTENER_EXACT_BALANCE",
    "UNPRIVILEGED_POD",
    "GENERATOR",
    "IP_FAMILIES",
    "TLS_CLIENT_CERT_CHAIN",
    "TLS_CLIENT_KEY",
    "TLS_CLIENT_ROOT_CERT",
    "REQUESTED_NETWORK_VIEW",
)
"""Node metadata that may change what a proxy gets, and so belongs to its view's key."""


IPV6_ONLY, BOTH_FAMILIES = "IPv6", "IPv4,IPv6"
"""Values of the flag ``IP_FAMILIES``, which is not sent but follows from the proxy's addresses; IPv4 alone has no flag."""


class ProxyType(StrEnum):
    SIDECAR = "sidecar"
    ROUTER = "router"


class Proxy(Struct, frozen=True, kw_only=True):
    """``id`` is the whole node id, ``sidecar~IP~pod.ns~ns.svc.domain``. ``labels`` are the pod's labels."""

    id: str
    type: ProxyType
    address: str
    name: str
    namespace: str
    labels: dict[str, str] = {}
    service_account: str = ""
    cluster_id: str = "Kubernetes"
    network: str = ""
    locality: Locality = Locality()
    node_name: str = ""
    workload_name: str = ""
    pod_ports: tuple[int, ...] = ()
    flags: dict[str, str] = {}
    version: str = ""
    config: dict[str, Any] = {}
    """The pod's own ProxyConfig, as its annotation ``proxy.istio.io/config`` gives it (row PC-02)."""
    bootstrap_tracer: str = ""
    """The cluster of the trace collector that its bootstrap has (row PC-06)."""
    bootstrap_logger: bool = False
    """Whether its bootstrap has the cluster of an access log service (row PC-12)."""
    fetches: bool = False
    """Whether an agent of ours is beside it, which fetches modules (row AG-12)."""
    modules: dict[str, Fetched] | None = None
    """What that agent has said of them, by :attr:`Module.key`; None as long as it has said nothing."""
    metadata: dict[str, str] = {}
    """The node metadata that is text, for EnvoyFilters that match on it (row EF-10)."""
