"""gateway.networking.k8s.io: gateways, their listeners, and who may refer to what. Source: kubernetes-sigs/gateway-api apis/v1, rows GA-*."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

GROUP = "gateway.networking.k8s.io"


class ObjectReference(Struct, frozen=True, kw_only=True):
    """A reference to an object; an empty ``namespace`` is the referrer's own."""

    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class SecretReference(ObjectReference, frozen=True, kw_only=True):
    kind: str = "Secret"


class GatewayClass(Struct, frozen=True, kw_only=True, rename="camel"):
    controller_name: str = ""
    parameters_ref: ObjectReference | None = None
    description: str = ""


class RouteNamespaces(Struct, frozen=True, kw_only=True):
    """``from``: Same, All, Selector, None. ``selector`` is Kubernetes' label selector as written."""

    from_: str = field(default="", name="from")
    selector: dict[str, Any] | None = None


class RouteKind(Struct, frozen=True, kw_only=True):
    group: str = GROUP
    kind: str = ""


class AllowedRoutes(Struct, frozen=True, kw_only=True):
    namespaces: RouteNamespaces | None = None
    kinds: tuple[RouteKind, ...] = ()


class FrontendValidation(Struct, frozen=True, kw_only=True, rename="camel"):
    ca_certificate_refs: tuple[ObjectReference, ...] = ()
    mode: str = ""


class ListenerTLS(Struct, frozen=True, kw_only=True, rename="camel"):
    mode: str = "Terminate"
    certificate_refs: tuple[SecretReference, ...] = ()
    frontend_validation: FrontendValidation | None = None
    """Where experimental releases had it; its place is ``spec.tls.frontend`` now."""
    options: dict[str, str] = {}


class Listener(Struct, frozen=True, kw_only=True, rename="camel"):
    """``hostname`` empty: every host."""

    name: str = ""
    hostname: str = ""
    port: int = 0
    protocol: str = ""
    tls: ListenerTLS | None = None
    allowed_routes: AllowedRoutes | None = None


class GatewayAddress(Struct, frozen=True, kw_only=True):
    type: str = "IPAddress"
    value: str = ""


class Infrastructure(Struct, frozen=True, kw_only=True, rename="camel"):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    parameters_ref: ObjectReference | None = None


class AllowedListeners(Struct, frozen=True, kw_only=True):
    namespaces: RouteNamespaces | None = None


class BackendTLS(Struct, frozen=True, kw_only=True, rename="camel"):
    client_certificate_ref: SecretReference | None = None


class FrontendTLSConfig(Struct, frozen=True, kw_only=True):
    validation: FrontendValidation | None = None


class FrontendPort(Struct, frozen=True, kw_only=True):
    port: int = 0
    tls: FrontendTLSConfig | None = None


class FrontendTLS(Struct, frozen=True, kw_only=True, rename="camel"):
    default: FrontendTLSConfig | None = None
    per_port: tuple[FrontendPort, ...] = ()


class GatewayTLS(Struct, frozen=True, kw_only=True):
    backend: BackendTLS | None = None
    frontend: FrontendTLS | None = None


class Gateway(Struct, frozen=True, kw_only=True, rename="camel"):
    gateway_class_name: str = ""
    listeners: tuple[Listener, ...] = ()
    addresses: tuple[GatewayAddress, ...] = ()
    infrastructure: Infrastructure | None = None
    allowed_listeners: AllowedListeners | None = None
    backend_tls: BackendTLS | None = field(default=None, name="backendTLS")
    tls: GatewayTLS | None = None
    default_scope: str = ""


class ParentReference(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a route (or a ListenerSet) attaches to; ``section_name`` and ``port`` narrow it down to some listeners."""

    group: str = GROUP
    kind: str = "Gateway"
    namespace: str = ""
    name: str = ""
    section_name: str = ""
    port: int = 0


class ListenerSet(Struct, frozen=True, kw_only=True, rename="camel"):
    parent_ref: ParentReference | None = None
    listeners: tuple[Listener, ...] = ()


class GrantFrom(Struct, frozen=True, kw_only=True):
    group: str = ""
    kind: str = ""
    namespace: str = ""


class GrantTo(Struct, frozen=True, kw_only=True):
    """An empty ``name`` is every object of the kind."""

    group: str = ""
    kind: str = ""
    name: str = ""


class ReferenceGrant(Struct, frozen=True, kw_only=True):
    from_: tuple[GrantFrom, ...] = field(default=(), name="from")
    to: tuple[GrantTo, ...] = ()


class PolicyTarget(Struct, frozen=True, kw_only=True, rename="camel"):
    group: str = ""
    kind: str = ""
    name: str = ""
    section_name: str = ""


class SubjectAltName(Struct, frozen=True, kw_only=True):
    type: str = ""
    hostname: str = ""
    uri: str = ""


class BackendValidation(Struct, frozen=True, kw_only=True, rename="camel"):
    ca_certificate_refs: tuple[ObjectReference, ...] = ()
    well_known_ca_certificates: str = field(default="", name="wellKnownCACertificates")
    hostname: str = ""
    subject_alt_names: tuple[SubjectAltName, ...] = ()


class BackendTLSPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    target_refs: tuple[PolicyTarget, ...] = ()
    validation: BackendValidation | None = None
    options: dict[str, str] = {}
