"""networking.istio.io Sidecar. Source: istio/api networking/v1alpha3/sidecar.proto."""

from __future__ import annotations

from msgspec import Struct

from mizzen.api.destination_rule import ClientTLSSettings, ConnectionPoolSettings
from mizzen.api.gateway import Port, ServerTLSSettings
from mizzen.api.meta import WorkloadSelector
from mizzen.api.virtual_service import Destination


class OutboundTrafficPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    mode: str = "REGISTRY_ONLY"
    egress_proxy: Destination | None = None
    tls: ClientTLSSettings | None = None
    """How names that ALLOW_ANY_DYNAMIC_DNS resolves are spoken to (row MC-02)."""


class IstioIngressListener(Struct, frozen=True, kw_only=True, rename="camel"):
    port: Port | None = None
    bind: str = ""
    capture_mode: str = "DEFAULT"
    default_endpoint: str = ""
    tls: ServerTLSSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None


class IstioEgressListener(Struct, frozen=True, kw_only=True, rename="camel"):
    port: Port | None = None
    bind: str = ""
    capture_mode: str = "DEFAULT"
    hosts: tuple[str, ...] = ()


class Sidecar(Struct, frozen=True, kw_only=True, rename="camel"):
    workload_selector: WorkloadSelector | None = None
    ingress: tuple[IstioIngressListener, ...] = ()
    egress: tuple[IstioEgressListener, ...] = ()
    inbound_connection_pool: ConnectionPoolSettings | None = None
    outbound_traffic_policy: OutboundTrafficPolicy | None = None
