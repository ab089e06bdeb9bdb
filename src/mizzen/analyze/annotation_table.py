"""The annotations that Istio's API has, and what objects each is for. Source: istio/api annotation, rows IM-07, IM-22."""

from __future__ import annotations

from dataclasses import dataclass

ANY = "Any"


@dataclass(frozen=True)
class Annotation:
    """``kinds``: where it works. ``instead``: what to use in place of a deprecated one. ``alpha``: Istio may still change it."""

    kinds: tuple[str, ...]
    deprecated: bool = False
    instead: str = ""
    alpha: bool = True


def _named(
    prefix: str, names: str, kinds: str = "Pod", *, deprecated: bool = False, alpha: bool = True
) -> dict[str, Annotation]:
    return {prefix + name: Annotation(tuple(kinds.split()), deprecated, alpha=alpha) for name in names.split()}


ANNOTATIONS: dict[str, Annotation] = {
    **_named("alpha.istio.io/", "canonical-serviceaccounts kubernetes-serviceaccounts", "Service", deprecated=True),
    **_named("ambient.istio.io/", "bypass-inbound-capture"),
    **_named("ambient.istio.io/", "redirection", alpha=False),
    **_named("ambient.istio.io/", "dns-capture"),
    **_named("ambient.istio.io/", "waypoint-inbound-binding", "GatewayClass Gateway"),
    **_named("galley.istio.io/", "analyze-suppress", ANY),
    **_named("gateway.istio.io/", "controller-version", ANY),
    **_named("gateway.istio.io/", "name-override service-account", "Gateway"),
    **_named("gateway.istio.io/", "tls-terminate-mode tls-cipher-suites", "Gateway"),
    **_named("inject.istio.io/", "templates"),
    **_named("install.operator.istio.io/", "chart-owner owner-generation version", ANY),
    **_named("istio.io/", "autoRegistrationGroup connectedAt disconnectedAt workloadController", "WorkloadEntry"),
    **_named("istio.io/", "dry-run", "AuthorizationPolicy"),
    **_named("istio.io/", "rev reroute-virtual-interfaces"),
    **_named("kubernetes.io/", "ingress.class", "Ingress", alpha=False),
    **_named("networking.istio.io/", "exportTo", "Service"),
    **_named("networking.istio.io/", "service-type address-type", "Gateway"),
    **_named("networking.istio.io/", "traffic-distribution", "Service ServiceEntry Namespace"),
    **_named("prometheus.istio.io/", "merge-metrics scrape-targets secure-port"),
    **_named("proxy.istio.io/", "config", alpha=False),
    **_named("proxy.istio.io/", "overrides"),
    **_named("readiness.status.sidecar.istio.io/", "applicationPorts failureThreshold initialDelaySeconds periodSeconds"),
    **_named("sidecar.istio.io/", "agentLogLevel bootstrapOverride capNetBindService componentLogLevel enableCoreDump"),
    **_named("sidecar.istio.io/", "interceptionMode logLevel nativeSidecar proxyCPU proxyCPULimit proxyImage"),
    **_named("sidecar.istio.io/", "proxyImageType proxyMemory proxyMemoryLimit rewriteAppHTTPProbers status"),
    **_named("sidecar.istio.io/", "statsHistogramBuckets statsFlushInterval statsEvictionInterval statsHistogramBins"),
    **_named("sidecar.istio.io/", "userVolume userVolumeMount"),
    **_named("sidecar.istio.io/", "discoveryAddress extraStatTags statsCompression", deprecated=True),
    **_named("sidecar.istio.io/", "statsInclusionPrefixes statsInclusionRegexps statsInclusionSuffixes", deprecated=True),
    "sidecar.istio.io/inject": Annotation(("Pod",), deprecated=True, instead="the label of the same name", alpha=False),
    **_named("status.sidecar.istio.io/", "port"),
    **_named("topology.istio.io/", "controlPlaneClusters", "Namespace"),
    **_named("traffic.istio.io/", "nodeSelector", "Service", alpha=False),
    **_named("traffic.sidecar.istio.io/", "excludeInboundPorts excludeInterfaces excludeOutboundIPRanges"),
    **_named("traffic.sidecar.istio.io/", "excludeOutboundPorts includeInboundPorts includeOutboundIPRanges"),
    **_named("traffic.sidecar.istio.io/", "includeOutboundPorts"),
    "traffic.sidecar.istio.io/kubevirtInterfaces": Annotation(
        ("Pod",), deprecated=True, instead="istio.io/reroute-virtual-interfaces"
    ),
}  # fmt: skip
