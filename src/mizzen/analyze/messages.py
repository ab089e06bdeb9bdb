"""Every message of the analysis: Istio's code, name and level, and our words. Source: rows IM-01 to IM-51.

``text`` takes the parameters that the row names. ``about`` says when the message appears and what to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from mizzen.model.finding import Level

ERROR, WARNING, INFO = Level.ERROR, Level.WARNING, Level.INFO

ABSENT = {
    "IST0001": "InternalError",
    "IST0141": "InsufficientPermissions",
    "IST0142": "UnsupportedKubernetesVersion",
    "IST0143": "LocalhostListener",
    "IST0156": "UnsupportedGatewayAPIVersion",
    "IST0168": "UnknownUpgradeCompatibility",
    "IST0169": "UpdateIncompatibility",
    "IST0172": "FutureUnsupportedGatewayAPIVersion",
}
"""Codes of Istio's that ``analyze`` never gives: nobody emits them, or only ``precheck`` of a Kubernetes cluster does."""


@dataclass(frozen=True)
class Message:
    """One kind of finding. ``code`` and ``name`` are Istio's; the level is fixed for each."""

    code: str
    name: str
    level: Level
    text: str
    about: str

    @property
    def url(self) -> str:
        """Istio's page about it."""
        return f"https://istio.io/latest/docs/reference/config/analysis/{self.code.lower()}/"


def _all(*rows: tuple[str, str, Level, str, str]) -> dict[str, Message]:
    return {row[0]: Message(*row) for row in rows}


MESSAGES = _all(
    (
        "IST0002", "Deprecated", WARNING, "deprecated: {detail}",
        "A field or a kind of the past. Use what took its place.",
    ),
    (
        "IST0101", "ReferencedResourceNotFound", ERROR, 'no such {reftype}: "{refval}"',
        "Something that the object names does not exist: a host, a port of it, a subset, a gateway, a secret, pods. Create it, or correct the name.",
    ),
    (
        "IST0102", "NamespaceNotInjected", INFO,
        "pods of {namespace} get no sidecar; label the namespace istio-injection=enabled, or =disabled to say that this is meant",
        "The namespace does not say whether its pods are to be injected.",
    ),
    (
        "IST0103", "PodMissingProxy", WARNING, "pod {pod} has no sidecar although its namespace is injected; restart its workload",
        "The pod is older than the label of its namespace.",
    ),
    (
        "IST0106", "SchemaValidationError", ERROR, "{err}",
        "The object breaks a rule of its kind and is refused. The text names the field.",
    ),
    (
        "IST0107", "MisplacedAnnotation", WARNING, "annotation {annotation} works on {kinds} only",
        "The annotation is known, but means nothing on an object of this kind.",
    ),
    (
        "IST0108", "UnknownAnnotation", WARNING, "annotation {annotation} is not known",
        "An annotation of Istio's domain that Istio does not have: most often a typing error.",
    ),
    (
        "IST0109", "ConflictingMeshGatewayVirtualServiceHosts", ERROR,
        "the VirtualServices {names} all define the mesh host {host}, and only one of them counts; merge them",
        "VirtualServices of one host are not merged inside the mesh: the oldest serves alone.",
    ),
    (
        "IST0110", "ConflictingSidecarWorkloadSelectors", ERROR,
        "the Sidecars {names} of namespace {namespace} select the same pod {pod}; only one of them counts",
        "Give each pod one Sidecar.",
    ),
    (
        "IST0111", "MultipleSidecarsWithoutWorkloadSelectors", ERROR,
        "the Sidecars {names} of namespace {namespace} have no workloadSelector; only one of them counts",
        "A namespace has one Sidecar without a selector.",
    ),
    (
        "IST0112", "VirtualServiceDestinationPortSelectorRequired", ERROR,
        "{host} has the ports {ports}; say with destination.port which one is meant",
        "A destination without a port is clear only where the service has a single one.",
    ),
    (
        "IST0116", "DeploymentAssociatedToMultipleServices", WARNING,
        "the Services of deployment {deployment} give port {port} different protocols: {services}",
        "A port of a workload carries one protocol; let its Services agree.",
    ),
    (
        "IST0118", "PortNameIsNotUnderNamingConvention", INFO,
        "port {name} ({port}, targetPort {target}) does not say what it carries: name it after its protocol (http, grpc-api), or set appProtocol",
        "The protocol of such a port has to be detected, and what is not detected is forwarded as bytes.",
    ),
    (
        "IST0123", "NamespaceMultipleInjectionLabels", WARNING, "the labels {labels} contradict each other; keep one",
        "Which control plane injects the namespace is not clear.",
    ),
    (
        "IST0125", "InvalidAnnotation", WARNING, "annotation {annotation}: {problem}",
        "The value of the annotation cannot be used.",
    ),
    (
        "IST0126", "UnknownMeshNetworksServiceRegistry", ERROR, "network {network} names the registry {registry}, which no cluster has",
        "fromRegistry is the name of a cluster with a remote secret.",
    ),
    (
        "IST0127", "NoMatchingWorkloadsFound", WARNING, "no workload of the mesh is selected (labels: {labels})",
        "The policy protects nothing: its selector finds no pod with a sidecar.",
    ),
    (
        "IST0128", "NoServerCertificateVerificationDestinationLevel", WARNING,
        "{rule} in {namespace} uses TLS {mode} towards {host} without caCertificates: the certificate of the server is not verified by a CA of yours",
        "Name the CA that signs the server's certificate.",
    ),
    (
        "IST0129", "NoServerCertificateVerificationPortLevel", WARNING,
        "{rule} in {namespace} uses TLS {mode} towards {host}, port {port}, without caCertificates: the certificate of the server is not verified by a CA of yours",
        "As IST0128, for one port.",
    ),
    (
        "IST0130", "VirtualServiceUnreachableRule", WARNING, "rule {rule} is never used: {reason}",
        "An earlier rule takes everything that this one would match.",
    ),
    (
        "IST0131", "VirtualServiceIneffectiveMatch", INFO, "match {match} of rule {rule} is never used: rule {earlier} matches that before",
        "The match is there twice, or an earlier one is wider.",
    ),
    (
        "IST0132", "VirtualServiceHostNotFoundInGateway", WARNING, "{gateway} has no server for a host of {service}: {hosts}",
        "The gateway does not let any host of the VirtualService through.",
    ),
    (
        "IST0133", "SchemaWarning", WARNING, "{err}",
        "Accepted, but hardly what was meant. The text names the field.",
    ),
    (
        "IST0134", "ServiceEntryAddressesRequired", WARNING, "a TCP port of a ServiceEntry without addresses takes traffic to every address; give addresses",
        "TCP has no host name; only an address tells one service from another.",
    ),
    (
        "IST0135", "DeprecatedAnnotation", INFO, "annotation {annotation} is deprecated{hint}",
        "It may stop working in a later version.",
    ),
    (
        "IST0136", "AlphaAnnotation", INFO, "annotation {annotation} belongs to a feature of alpha quality",
        "It may change or go in a later version. Told only by the analyzer of that name.",
    ),
    (
        "IST0137", "DeploymentConflictingPorts", WARNING,
        "the Services {services} of deployment {deployment} reach targetPort {target} by different ports: {ports}",
        "Give the target port one port number, or make it two target ports.",
    ),
    (
        "IST0138", "GatewayDuplicateCertificate", WARNING,
        "the gateways {gateways} serve one certificate; a client that reuses its HTTP/2 connection for the other host is answered 404",
        "Put the hosts of one certificate into one gateway.",
    ),
    (
        "IST0139", "InvalidWebhook", ERROR, "{error}",
        "An injection webhook whose service is gone, or two webhooks that both want the same pods.",
    ),
    (
        "IST0140", "IngressRouteRulesNotAffected", WARNING, "the subset in VirtualService {with_subset} has no effect on requests that {routed} takes at its gateway",
        "A VirtualService of a gateway does not go through that of the mesh; name the subset in it.",
    ),
    (
        "IST0144", "InvalidApplicationUID", WARNING, "user 1337 belongs to the sidecar: traffic of an application that runs as it is not captured",
        "Run the application as another user.",
    ),
    (
        "IST0145", "ConflictingGateways", ERROR, "the gateways {gateways} claim the same (selector {selector}, port {port}, hosts {hosts})",
        "Of two servers for one host on one port only one counts.",
    ),
    (
        "IST0146", "ImageAutoWithoutInjectionWarning", WARNING, "{kind} {name} has a container with image: auto, but no injection webhook would fill it in",
        "Label the namespace or the pod template for injection.",
    ),
    (
        "IST0147", "ImageAutoWithoutInjectionError", ERROR, "{kind} {name} runs with image: auto, which nobody filled in",
        "Pods are injected when they are made: label the namespace, then make the pod again.",
    ),
    (
        "IST0148", "NamespaceInjectionEnabledByDefault", INFO, "the namespace is injected, because the installation injects every namespace",
        "enableNamespacesByDefault is set. For information.",
    ),
    (
        "IST0149", "JwtClaimBasedRoutingWithoutRequestAuthN", ERROR,
        "routes by {key}, but no RequestAuthentication selects pod {pod} of gateway {gateway}: the route never matches",
        "Claims exist only where a token was verified.",
    ),
    (
        "IST0150", "ExternalNameServiceTypeInvalidPortName", WARNING,
        "an ExternalName has no address of its own: name the port after its protocol (http, https, tcp-NAME)",
        "A port that is taken for bytes takes the traffic of every other host on that port.",
    ),
    (
        "IST0151", "EnvoyFilterUsesRelativeOperation", WARNING,
        "an operation relative to another filter may find it missing: set a priority, or use INSERT_FIRST or ADD",
        "The filter that it refers to may be put in by an EnvoyFilter that comes later.",
    ),
    (
        "IST0152", "EnvoyFilterUsesReplaceOperationIncorrectly", ERROR, "REPLACE works on HTTP_FILTER and NETWORK_FILTER only",
        "The patch is ignored.",
    ),
    (
        "IST0153", "EnvoyFilterUsesAddOperationIncorrectly", ERROR, "ADD is ignored for ROUTE_CONFIGURATION and HTTP_ROUTE",
        "The patch is ignored.",
    ),
    (
        "IST0154", "EnvoyFilterUsesRemoveOperationIncorrectly", ERROR, "REMOVE is ignored for ROUTE_CONFIGURATION and HTTP_ROUTE",
        "The patch is ignored.",
    ),
    (
        "IST0155", "EnvoyFilterUsesRelativeOperationWithProxyVersion", WARNING,
        "an operation relative to a filter that only some proxy versions get may find it missing during an upgrade: set a priority, or use INSERT_FIRST or ADD",
        "As IST0151, where the other patch is for one proxy version.",
    ),
    (
        "IST0157", "InvalidTelemetryProvider", WARNING, "Telemetry {name} in {namespace} names no provider of access logs, and the mesh has no default: it has no effect",
        "Name a provider, or set defaultProviders.accessLogging.",
    ),
    (
        "IST0158", "PodsIstioProxyImageMismatchInNamespace", WARNING,
        "the proxies of these pods are not of the image that is injected now: {pods}; restart their workloads",
        "Usual after an upgrade of the control plane.",
    ),
    (
        "IST0159", "ConflictingTelemetryWorkloadSelectors", ERROR,
        "the Telemetries {names} of namespace {namespace} select the same pod {pod}",
        "Give each pod one Telemetry with a selector.",
    ),
    (
        "IST0160", "MultipleTelemetriesWithoutWorkloadSelectors", ERROR,
        "the Telemetries {names} of namespace {namespace} have no selector; only one of them counts",
        "A namespace has one Telemetry without a selector.",
    ),
    (
        "IST0161", "InvalidGatewayCredential", ERROR, "the secret that gateway {gateway} (pods in {namespace}) names holds no certificate that can be served now",
        "Key and certificate are missing, the certificate cannot be read, or its time is over or not yet come.",
    ),
    (
        "IST0162", "GatewayPortNotDefinedOnService", WARNING, "no Service of the pods selected by {selector} leads to port {port}",
        "The gateway listens on a port of its pods that their Service does not offer.",
    ),
    (
        "IST0163", "InvalidExternalControlPlaneConfig", WARNING, 'webhook {webhook}: the address "{url}" {reason}',
        "The API server cannot reach the control plane of another cluster by it.",
    ),
    (
        "IST0164", "ExternalControlPlaneAddressIsNotAHostname", INFO, 'webhook {webhook}: the address "{url}" is an IP address; a host name lasts longer',
        "The address of a gateway may change.",
    ),
    (
        "IST0165", "ReferencedInternalGateway", WARNING, "VirtualService {service} names {gateway}, a gateway that the control plane made for itself",
        "Generated gateways come and go; use HTTPRoute with the Gateway that you wrote.",
    ),
    (
        "IST0166", "IneffectiveSelector", WARNING, "a selector has no effect on the pods of Gateway {gateway}; use targetRefs",
        "Pods of the Gateway API's gateways take policies by targetRefs.",
    ),
    (
        "IST0167", "IneffectivePolicy", WARNING, "the object has no effect: {reason}",
        "A Sidecar configures sidecars, and ambient pods have none.",
    ),
    (
        "IST0170", "MultiClusterInconsistentService", WARNING, "Service {name} of {namespace} differs between the clusters {clusters}: {reasons}",
        "A service of several clusters must look the same in all.",
    ),
    (
        "IST0171", "NegativeConditionStatus", WARNING, "the condition {type} does not hold: {reason}: {message}",
        "Whoever serves the object says that something is wrong with it.",
    ),
    (
        "IST0173", "DestinationRuleSubsetNotSelectPods", ERROR, "subset {subset} selects no pod: calls to it are answered 503",
        "Correct the labels of the subset, or deploy what it selects.",
    ),
    (
        "IST0174", "UnknownDestinationRuleHost", WARNING, "no service is called {host}: the rule has no effect",
        "Correct the host; a short name is looked up in the rule's own namespace.",
    ),
    (
        "IST0175", "JwksUriFetchUnrestricted", WARNING,
        "token keys may be fetched from any address for {count} RequestAuthentications ({names}); set BLOCKED_CIDRS_IN_JWKS_URIS",
        "Whoever writes a RequestAuthentication makes the control plane call an address.",
    ),
    (
        "IST0176", "GatewayAPICRDVersionBelowMinimum", WARNING, "{crd} is of version {installed}; objects of this kind are read from {minimum} on",
        "Install newer definitions of the Gateway API.",
    ),
    (
        "IST0177", "ConflictingServiceEntryProtocol", WARNING,
        "the ServiceEntries {names} give {host}, port {port}, different protocols: {protocols}",
        "Let them agree; only one protocol counts.",
    ),
)  # fmt: skip
"""By code, in the order of codes."""
