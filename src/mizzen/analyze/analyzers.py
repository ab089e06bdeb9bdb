"""The analyzers by Istio's names, with the kinds that each reads. Source: the list in section 6.3 of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mizzen.analyze import (
    annotated,
    application_user,
    authorization,
    conditions,
    deployments,
    deprecation,
    destination_rules,
    envoy_filters,
    external_control_plane,
    gateway_conflicts,
    gateway_pods,
    kubernetes_gateway,
    mesh_hosts,
    mesh_networks,
    namespaces,
    port_names,
    proxy_images,
    routed_gateways,
    routing,
    schema,
    service_entries,
    sidecars,
    telemetry,
    token_keys,
    webhooks,
)
from mizzen.analyze.estate import Estate
from mizzen.api.kinds import KINDS
from mizzen.model.finding import Finding

Run = Callable[[Estate], Iterable[Finding]]


@dataclass(frozen=True)
class Analyzer:
    """``reads``: the kinds it looks at. ``codes``: what it may give. ``about``: one line for people."""

    name: str
    run: Run
    reads: tuple[str, ...]
    codes: tuple[str, ...]
    about: str


_GATEWAY_API = "Gateway.gateway.networking.k8s.io"
_WEBHOOKS = "MutatingWebhookConfiguration"


def _of(name: str, run: Run, reads: str, codes: str, about: str) -> Analyzer:
    kinds = tuple(_GATEWAY_API if kind == "KubernetesGateway" else kind for kind in reads.split())
    return Analyzer(name, run, kinds, tuple(f"IST0{code}" for code in codes.split()), about)


def _every() -> Iterator[Analyzer]:  # fmt: skip
    yield _of(
        "annotations.K8sAnalyzer",
        annotated.misused,
        "Namespace Service Pod Deployment",
        "107 108 125 135",
        "Annotations of Istio's that are unknown, misplaced, deprecated or of no use",
    )
    yield _of(
        "applicationUID.Analyzer",
        application_user.application_users,
        "Pod Deployment",
        "144",
        "Applications that run as the user of the sidecar",
    )
    yield _of(
        "auth.AuthorizationPoliciesAnalyzer",
        authorization.authorization_policies,
        "AuthorizationPolicy Namespace Pod MeshConfig",
        "127 101",
        "Authorization policies that select no workload or name unknown namespaces",
    )
    yield _of(
        "authn.BlockedCIDRsAnalyzer",
        token_keys.unrestricted_keys,
        "RequestAuthentication Deployment",
        "175",
        "Token keys that may be fetched from any address",
    )
    yield _of(
        "conditions.ConditionAnalyzer",
        conditions.negative_conditions,
        "Service ServiceEntry WorkloadEntry AuthorizationPolicy KubernetesGateway HTTPRoute GRPCRoute",
        "171",
        "Objects whose status says that something is wrong",
    )
    yield _of(
        "deployment.MultiServiceAnalyzer",
        deployments.several_services,
        "Service Deployment Namespace",
        "116 137",
        "Services of one deployment that do not agree about a port",
    )
    yield _of(
        "deprecation.DeprecationAnalyzer",
        deprecation.deprecated,
        "VirtualService Sidecar CustomResourceDefinition",
        "002",
        "Fields and kinds of the past",
    )
    yield _of(
        "destinationrule.CaCertificateAnalyzer",
        destination_rules.ca_certificates,
        "DestinationRule",
        "128 129",
        "TLS towards servers whose certificate nobody verifies",
    )
    yield _of(
        "destinationrule.SubsetSelectPodAnalyzer",
        destination_rules.subsets,
        "DestinationRule Pod Service ServiceEntry Node",
        "173 174",
        "Destination rules of unknown hosts, and subsets that select no pod",
    )
    yield _of(
        "envoyfilter.EnvoyPatchAnalyzer",
        envoy_filters.patches,
        "EnvoyFilter",
        "151 152 153 154 155",
        "Operations of Envoy filters that may miss what they refer to",
    )
    yield _of(
        "externalcontrolplane.ExternalControlPlaneAnalyzer",
        external_control_plane.webhook_addresses,
        f"ValidatingWebhookConfiguration {_WEBHOOKS}",
        "163 164",
        "Webhooks that lead to a control plane of another cluster",
    )
    yield _of(
        "gateway.CertificateAnalyzer",
        gateway_conflicts.duplicate_certificates,
        "Gateway",
        "138",
        "Gateways that serve one certificate",
    )
    yield _of(
        "gateway.ConflictingGatewayAnalyzer",
        gateway_conflicts.conflicting_gateways,
        "Gateway Pod",
        "145",
        "Gateways that claim the same host and port",
    )
    yield _of(
        "gateway.IngressGatewayPortAnalyzer",
        gateway_pods.ports,
        "Gateway Pod Service",
        "101 162",
        "Gateways without pods, and ports that no Service leads to",
    )
    yield _of(
        "gateway.SecretAnalyzer",
        gateway_pods.secrets,
        "Gateway Pod Secret",
        "101 161",
        "Certificates of gateways that are missing or of no use",
    )
    yield _of(
        "injection.Analyzer",
        namespaces.injection,
        "Namespace Pod ConfigMap",
        "102 103 123 148",
        "Namespaces and pods that are not injected",
    )
    yield _of(
        "injection.ImageAnalyzer",
        proxy_images.proxy_images,
        "Namespace Pod ConfigMap MeshConfig ProxyConfig",
        "158",
        "Sidecars of another image than is injected now",
    )
    yield _of(
        "injection.ImageAutoAnalyzer",
        webhooks.unfilled_images,
        f"Namespace Pod Deployment {_WEBHOOKS}",
        "146 147",
        "Containers whose image nobody fills in",
    )
    yield _of(
        "k8sgateway.CRDVersionAnalyzer",
        kubernetes_gateway.old_definitions,
        "CustomResourceDefinition",
        "176",
        "Definitions of the Gateway API that are too old",
    )
    yield _of(
        "k8sgateway.SelectorAnalyzer",
        kubernetes_gateway.ineffective_selectors,
        "AuthorizationPolicy RequestAuthentication Telemetry WasmPlugin Pod",
        "166",
        "Selectors on pods that take policies by targetRefs only",
    )
    yield _of(
        "meshnetworks.MeshNetworksAnalyzer",
        mesh_networks.unknown_registries,
        "MeshNetworks Secret",
        "126",
        "Networks that name an unknown cluster",
    )
    yield _of(
        "service.PortNameAnalyzer",
        port_names.port_names,
        "Service",
        "118 150",
        "Names of ports that do not say what they carry",
    )
    yield _of(
        "serviceentry.Analyzer",
        service_entries.addresses_required,
        "ServiceEntry MeshConfig",
        "134",
        "TCP service entries without addresses",
    )
    yield _of(
        "serviceentry.ConflictingServiceEntryProtocolAnalyzer",
        service_entries.conflicting_protocols,
        "ServiceEntry",
        "177",
        "Service entries that give one port different protocols",
    )
    yield _of(
        "services.MultiClusterServiceAnalyzer",
        mesh_networks.differing_services,
        "Service",
        "170",
        "Services that differ between clusters",
    )
    yield _of(
        "sidecar.SelectorAnalyzer",
        sidecars.sidecar_selectors,
        "Sidecar Pod Namespace",
        "101 110 111 167",
        "Sidecars that select nothing or the same pods",
    )
    yield _of(
        "telemetry.DefaultSelectorAnalyzer",
        telemetry.default_selectors,
        "Telemetry",
        "160",
        "Several telemetries of a namespace without a selector",
    )
    yield _of(
        "telemetry.LightstepAnalyzer",
        deprecation.lightstep,
        "Telemetry MeshConfig",
        "002",
        "Telemetries with a provider of the past",
    )
    yield _of(
        "telemetry.ProviderAnalyzer",
        telemetry.providers,
        "Telemetry MeshConfig",
        "157",
        "Telemetries without a provider of access logs",
    )
    yield _of(
        "telemetry.SelectorAnalyzer",
        telemetry.selectors,
        "Telemetry Pod",
        "101 159",
        "Telemetries that select nothing or the same pods",
    )
    yield _of(
        "virtualservice.ConflictingMeshGatewayHostsAnalyzer",
        mesh_hosts.conflicting_hosts,
        "VirtualService",
        "109",
        "Virtual services that define the same host",
    )
    yield _of(
        "virtualservice.DestinationHostAnalyzer",
        routing.destination_hosts,
        "VirtualService ServiceEntry Service",
        "101 112 140",
        "Routes to hosts and ports that are not there",
    )
    yield _of(
        "virtualservice.DestinationRuleAnalyzer",
        routing.destination_subsets,
        "VirtualService DestinationRule",
        "101",
        "Routes to subsets that no destination rule defines",
    )
    yield _of(
        "virtualservice.GatewayAnalyzer",
        routed_gateways.gateways,
        "VirtualService Gateway KubernetesGateway",
        "101 132 165",
        "Virtual services and the gateways that they name",
    )
    yield _of(
        "virtualservice.JWTClaimRouteAnalyzer",
        routed_gateways.claim_routes,
        "VirtualService RequestAuthentication Gateway Pod",
        "149",
        "Routes by claims that nobody verified",
    )
    yield _of(
        "webhook.Analyzer",
        webhooks.injection_webhooks,
        f"{_WEBHOOKS} Service",
        "139",
        "Injection webhooks that are dead or rivals",
    )
    yield _of(
        "schema.ObjectAnalyzer",
        schema.of_others,
        " ".join(kind for kind in KINDS if kind not in schema.KINDS),
        "106",
        "Objects of all other kinds that would be refused",
    )
    for kind in schema.KINDS:
        yield _of(
            f"schema.ValidationAnalyzer.{kind}",
            schema.of_kind(kind),
            kind,
            "106 130 131 133" if kind == "VirtualService" else "106 133",
            f"The rules of {kind} by itself",
        )


ANALYZERS: dict[str, Analyzer] = {
    analyzer.name: analyzer for analyzer in sorted(_every(), key=lambda found: found.name)
}
"""By name, in its order."""

ALPHA = _of(
    "annotations.AlphaAnalyzer",
    annotated.alpha,
    "Namespace Service Pod Deployment",
    "136",
    "Annotations of features of alpha quality (only when named)",
)
"""Not in the default set: Istio's own precheck runs it alone (row IM-22)."""
