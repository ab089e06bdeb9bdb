"""Gateway, GatewayClass, ListenerSet, ReferenceGrant and BackendTLSPolicy: what their CRDs demand (section 9.2).

What depends on other objects, and what Istio tells in a status (an unknown protocol, a conflict), is no matter of these rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from mizzen.api.gateway_api import (
    BackendTLSPolicy,
    BackendValidation,
    Gateway,
    GatewayClass,
    Listener,
    ListenerSet,
    ListenerTLS,
    ReferenceGrant,
    RouteNamespaces,
)
from mizzen.check import codes, rules
from mizzen.check.notes import Notes
from mizzen.model import label_selector

_MOST_LISTENERS = 64
_WITHOUT_TLS = ("HTTP", "TCP", "UDP")
_BYTES = ("TCP", "UDP")


def validate_class(spec: GatewayClass, notes: Notes) -> None:
    notes.need(bool(spec.controller_name), "spec.controllerName", "a controller is required")
    if spec.parameters_ref is not None:
        notes.warn("spec.parametersRef", "parameters of a class have no effect: use a ConfigMap", codes.NO_EFFECT)


def validate_gateway(spec: Gateway, notes: Notes) -> None:
    notes.need(bool(spec.gateway_class_name), "spec.gatewayClassName", "a class is required")
    open_to_sets = spec.allowed_listeners is not None
    notes.need(bool(spec.listeners) or open_to_sets, "spec.listeners", "at least one listener is required")
    _listeners(spec.listeners, notes, ports=True)
    for index, address in enumerate(spec.addresses):
        if address.value and address.type == "IPAddress":
            notes.need(rules.is_ip(address.value), f"spec.addresses[{index}].value", f"{address.value!r} is no address")
    if spec.allowed_listeners is not None:
        _namespaces(spec.allowed_listeners.namespaces, "spec.allowedListeners.namespaces", notes, ("None",))
    named = spec.tls.backend if spec.tls is not None else None
    for path, backend in (("spec.backendTLS", spec.backend_tls), ("spec.tls.backend", named)):
        if backend is not None and backend.client_certificate_ref is not None:
            text = "a client certificate towards backends is checked, but not used"
            notes.warn(f"{path}.clientCertificateRef", text, codes.NO_EFFECT)
    if spec.default_scope:
        notes.warn("spec.defaultScope", "default gateways have no effect", codes.NO_EFFECT)


def validate_listener_set(spec: ListenerSet, notes: Notes) -> None:
    named = spec.parent_ref is not None and bool(spec.parent_ref.name)
    notes.need(named, "spec.parentRef.name", "the Gateway that it adds to is required")
    notes.need(bool(spec.listeners), "spec.listeners", "at least one listener is required")
    _listeners(spec.listeners, notes, ports=False)


def validate_grant(spec: ReferenceGrant, notes: Notes) -> None:
    notes.need(bool(spec.from_), "spec.from", "who may refer is required")
    notes.need(bool(spec.to), "spec.to", "what may be referred to is required")
    for index, source in enumerate(spec.from_):
        notes.need(bool(source.kind), f"spec.from[{index}].kind", "a kind is required")
        notes.need(bool(source.namespace), f"spec.from[{index}].namespace", "a namespace is required")
    for index, target in enumerate(spec.to):
        notes.need(bool(target.kind), f"spec.to[{index}].kind", "a kind is required")


def validate_backend_tls(spec: BackendTLSPolicy, notes: Notes) -> None:
    notes.need(bool(spec.target_refs), "spec.targetRefs", "at least one target is required")
    for index, target in enumerate(spec.target_refs):
        notes.need(bool(target.kind and target.name), f"spec.targetRefs[{index}]", "kind and name are required")
    if notes.need(spec.validation is not None, "spec.validation", "validation is required") and spec.validation:
        _validation(spec.validation, "spec.validation", notes)
    if spec.options:
        notes.warn("spec.options", "options have no effect", codes.NO_EFFECT)


def _validation(validation: BackendValidation, path: str, notes: Notes) -> None:
    if notes.need(bool(validation.hostname), f"{path}.hostname", "the name in the certificate is required"):
        notes.need(rules.fqdn(validation.hostname), f"{path}.hostname", f"{validation.hostname!r} is no host name")
    both = bool(validation.ca_certificate_refs) and bool(validation.well_known_ca_certificates)
    notes.need(not both, path, "only one of caCertificateRefs and wellKnownCACertificates may be set")
    if len(validation.ca_certificate_refs) > 1:
        notes.warn(f"{path}.caCertificateRefs", "only the first counts")
    for index, san in enumerate(validation.subject_alt_names):
        given = san.hostname if san.type == "Hostname" else san.uri if san.type == "URI" else ""
        notes.need(bool(given), f"{path}.subjectAltNames[{index}]", "type is Hostname or URI, with the name beside it")


def _listeners(listeners: Sequence[Listener], notes: Notes, *, ports: bool) -> None:
    notes.need(len(listeners) <= _MOST_LISTENERS, "spec.listeners", f"at most {_MOST_LISTENERS} listeners")
    rules.unique(notes, "spec.listeners", [entry.name for entry in listeners], "names of listeners must differ")
    for index, listener in enumerate(listeners):
        path = f"spec.listeners[{index}]"
        notes.need(
            bool(listener.name) and rules.fqdn(listener.name), f"{path}.name", "a name is required, as of a host"
        )
        if ports or listener.port:
            rules.port(notes, f"{path}.port", listener.port)
        notes.need(bool(listener.protocol), f"{path}.protocol", "a protocol is required")
        _hostname(listener, path, notes)
        _tls(listener, path, notes)
        if listener.allowed_routes is not None:
            _namespaces(listener.allowed_routes.namespaces, f"{path}.allowedRoutes.namespaces", notes, ())


def _hostname(listener: Listener, path: str, notes: Notes) -> None:
    if not listener.hostname:
        return
    bytes_only = listener.protocol in _BYTES
    notes.need(not bytes_only, f"{path}.hostname", f"protocol {listener.protocol} knows no host names")
    notes.need(not rules.is_ip(listener.hostname), f"{path}.hostname", "a host name is not an address")
    notes.need(listener.hostname != "*", f"{path}.hostname", "leave it out to take every host")
    rules.wildcard_host(notes, f"{path}.hostname", listener.hostname)


def _tls(listener: Listener, path: str, notes: Notes) -> None:
    tls: ListenerTLS | None = listener.tls
    if tls is None:
        return
    notes.need(listener.protocol not in _WITHOUT_TLS, f"{path}.tls", f"protocol {listener.protocol} has no TLS")
    known = tls.mode in ("Terminate", "Passthrough")
    notes.need(known, f"{path}.tls.mode", f"{tls.mode!r} is neither Terminate nor Passthrough")
    passes = listener.protocol == "HTTPS" and tls.mode == "Passthrough"
    notes.need(not passes, f"{path}.tls.mode", "HTTPS ends here: the mode must be Terminate")
    if tls.mode == "Terminate":
        given = bool(tls.certificate_refs or tls.options)
        notes.need(given, f"{path}.tls", "certificateRefs or options are required to end TLS")
    if tls.frontend_validation is not None:
        text = "it has moved to spec.tls.frontend of the Gateway, and has no effect here"
        notes.warn(f"{path}.tls.frontendValidation", text, codes.NO_EFFECT)


def _namespaces(allowed: RouteNamespaces | None, path: str, notes: Notes, more: tuple[str, ...]) -> None:
    if allowed is None:
        return
    known = ("", "Same", "All", "Selector", *more)
    notes.need(allowed.from_ in known, f"{path}.from", f"{allowed.from_!r} is none of {', '.join(known[1:])}")
    if allowed.selector is not None and (wrong := label_selector.problem(allowed.selector)):
        notes.error(f"{path}.selector", wrong)
