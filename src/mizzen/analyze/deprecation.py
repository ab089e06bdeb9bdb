"""Fields and kinds of the past (IST0002)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.analyze.estate import Estate
from mizzen.analyze.reading import text
from mizzen.api.sidecar import Sidecar
from mizzen.api.telemetry import Telemetry
from mizzen.api.virtual_service import VirtualService
from mizzen.model.finding import Finding

_OLD_GROUP = "rbac.istio.io"
_OLD_KINDS = {"ClusterRbacConfig", "RbacConfig", "ServiceRole", "ServiceRoleBinding"}


def deprecated(estate: Estate) -> Iterator[Finding]:
    for subject in estate.decoded("VirtualService"):
        body: VirtualService = subject.body
        for index, route in enumerate(body.http):
            delay = route.fault.delay if route.fault is not None else None
            if delay is not None and delay.percent > 0:
                field = f"spec.http[{index}].fault.delay.percent"
                yield subject.finding("IST0002", field, detail="percent; write percentage.value")
    for subject in estate.decoded("Sidecar"):
        sidecar: Sidecar = subject.body
        if sidecar.outbound_traffic_policy is not None and sidecar.outbound_traffic_policy.egress_proxy is not None:
            field = "spec.outboundTrafficPolicy.egressProxy.host"
            yield subject.finding("IST0002", field, detail="outboundTrafficPolicy.egressProxy")
    for subject in estate.of("CustomResourceDefinition"):
        kind = text(subject.raw, "spec", "names", "kind")
        if text(subject.raw, "spec", "group") == _OLD_GROUP and kind in _OLD_KINDS:
            yield subject.finding("IST0002", detail=f"{kind} of {_OLD_GROUP} is gone; write AuthorizationPolicies")


def lightstep(estate: Estate) -> Iterator[Finding]:
    """Telemetry that sends traces to a provider of Lightstep's old kind."""
    old = {text(provider, "name") for provider in estate.mesh.extension_providers if "lightstep" in provider}
    for subject in estate.decoded("Telemetry"):
        body: Telemetry = subject.body
        for name in dict.fromkeys(p.name for tracing in body.tracing for p in tracing.providers if p.name in old):
            yield subject.finding("IST0002", detail=f"the provider {name} is of kind lightstep; use opentelemetry")
