"""Judging what users wrote: ``validate`` looks at one object, and gives findings, never exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mizzen.api.meta import Object
from mizzen.check.notes import Notes
from mizzen.check.validators import (
    authorization_policy,
    controller,
    destination_rule,
    endpoint_slice,
    envoy_filter,
    extension,
    gateway,
    gateway_api,
    gateway_routes,
    ingress,
    metadata,
    peer_authentication,
    proxy_config,
    request_authentication,
    service,
    service_entry,
    sidecar,
    telemetry,
    virtual_service,
    workload,
)
from mizzen.model.finding import Finding, Level

__all__ = ["VALIDATORS", "refused", "validate"]

Validator = Callable[[Any, Notes], None]

VALIDATORS: Mapping[str, Validator] = {
    "AuthorizationPolicy": authorization_policy.validate,
    "BackendTLSPolicy": gateway_api.validate_backend_tls,
    "DaemonSet": controller.validate,
    "Deployment": controller.validate,
    "DestinationRule": destination_rule.validate,
    "EndpointSlice": endpoint_slice.validate,
    "EnvoyFilter": envoy_filter.validate,
    "GRPCRoute": gateway_routes.validate_grpc,
    "Gateway": gateway.validate,
    "Gateway.gateway.networking.k8s.io": gateway_api.validate_gateway,
    "GatewayClass": gateway_api.validate_class,
    "HTTPRoute": gateway_routes.validate_http,
    "Ingress": ingress.validate,
    "Job": controller.validate_job,
    "ListenerSet": gateway_api.validate_listener_set,
    "PeerAuthentication": peer_authentication.validate,
    "Pod": controller.validate_pod,
    "ProxyConfig": proxy_config.validate,
    "ReferenceGrant": gateway_api.validate_grant,
    "RequestAuthentication": request_authentication.validate,
    "Service": service.validate,
    "ServiceEntry": service_entry.validate,
    "Sidecar": sidecar.validate,
    "StatefulSet": controller.validate,
    "TCPRoute": gateway_routes.validate_tcp,
    "TLSRoute": gateway_routes.validate_tls,
    "Telemetry": telemetry.validate,
    "TrafficExtension": extension.validate_traffic_extension,
    "VirtualService": virtual_service.validate,
    "WasmPlugin": extension.validate_wasm_plugin,
    "WorkloadEntry": workload.validate_entry,
    "WorkloadGroup": workload.validate_group,
}
"""The validator of each kind that has rules of its own."""


def validate(obj: Object) -> list[Finding]:
    """Everything that is wrong with one object, in the order of its fields. An ``Error`` refuses it."""
    notes = Notes(obj)
    metadata.validate(obj.meta, notes)
    validator = VALIDATORS.get(obj.kind)
    if validator is not None:
        validator(obj.body, notes)
    return notes.findings


def refused(findings: list[Finding]) -> bool:
    """Whether these findings of one object refuse it."""
    return any(finding.level is Level.ERROR for finding in findings)
