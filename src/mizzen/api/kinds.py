"""Every kind that Mizzen reads or keeps: group, versions, names and body type. Rows CM-01 and CM-02.

A kind is found by what a document says (``apiVersion`` and ``kind``) or by any spelling that kubectl takes: kind,
singular, plural, short name, and the latter ones with ``.group``.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from mizzen.api import gateway_api, gateway_routes
from mizzen.api.destination_rule import DestinationRule
from mizzen.api.envoy_filter import EnvoyFilter
from mizzen.api.extension import TrafficExtension, WasmPlugin
from mizzen.api.gateway import Gateway
from mizzen.api.kubernetes import (
    ConfigMap,
    Controller,
    EndpointSlice,
    Ingress,
    IngressClass,
    Node,
    Opaque,
    Pod,
    Secret,
    Service,
)
from mizzen.api.proxy_config import ProxyConfigObject
from mizzen.api.rbac import Binding, ClusterRole, Role
from mizzen.api.security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from mizzen.api.service_entry import ServiceEntry, WorkloadEntry, WorkloadEntryStatus, WorkloadGroup
from mizzen.api.sidecar import Sidecar
from mizzen.api.telemetry import Telemetry
from mizzen.api.virtual_service import VirtualService

Effect = Literal["full", "none"]


class KindInfo(Struct, frozen=True, kw_only=True):
    """One kind. ``key`` is the kind's name, with ``.group`` where two groups use the same one.

    ``versions`` lists what is served, the storage version first; empty: any version is taken. ``payload`` says
    whether ``body`` is the type of the ``spec`` or of the whole document. ``effect`` is ``none`` for kinds that are
    kept and shown but change nothing in the mesh.
    """

    key: str
    kind: str
    group: str
    versions: tuple[str, ...]
    plural: str
    singular: str
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    body: type[Struct] = Opaque
    payload: Literal["spec", "document"] = "document"
    effect: Effect = "full"
    status: type[Struct] | None = None
    """The type of the ``status`` of an Istio kind, where the mesh goes by it."""

    @property
    def storage_version(self) -> str:
        return self.versions[0] if self.versions else "v1"

    @property
    def api_version(self) -> str:
        """``group/version`` as written in documents, of the storage version."""
        return f"{self.group}/{self.storage_version}" if self.group else self.storage_version


_NETWORKING = ("v1", "v1beta1", "v1alpha3")
_SECURITY = ("v1", "v1beta1")
_RBAC = ("v1", "v1beta1", "v1alpha1")

_ISTIO: tuple[tuple[str, str, tuple[str, ...], str, str, type[Struct]], ...] = (
    ("VirtualService", "networking", _NETWORKING, "virtualservices", "vs", VirtualService),
    ("DestinationRule", "networking", _NETWORKING, "destinationrules", "dr", DestinationRule),
    ("Gateway", "networking", _NETWORKING, "gateways", "gw", Gateway),
    ("ServiceEntry", "networking", _NETWORKING, "serviceentries", "se", ServiceEntry),
    ("Sidecar", "networking", _NETWORKING, "sidecars", "", Sidecar),
    ("WorkloadEntry", "networking", _NETWORKING, "workloadentries", "we", WorkloadEntry),
    ("WorkloadGroup", "networking", _NETWORKING, "workloadgroups", "wg", WorkloadGroup),
    ("EnvoyFilter", "networking", ("v1alpha3",), "envoyfilters", "", EnvoyFilter),
    ("ProxyConfig", "networking", ("v1beta1",), "proxyconfigs", "", ProxyConfigObject),
    ("PeerAuthentication", "security", _SECURITY, "peerauthentications", "pa", PeerAuthentication),
    ("RequestAuthentication", "security", _SECURITY, "requestauthentications", "ra", RequestAuthentication),
    ("AuthorizationPolicy", "security", _SECURITY, "authorizationpolicies", "ap", AuthorizationPolicy),
    ("Telemetry", "telemetry", ("v1alpha1", "v1"), "telemetries", "telemetry", Telemetry),
    ("WasmPlugin", "extensions", ("v1alpha1",), "wasmplugins", "", WasmPlugin),
    ("TrafficExtension", "extensions", ("v1alpha1",), "trafficextensions", "", TrafficExtension),
)

_KUBERNETES: tuple[tuple[str, str, tuple[str, ...], str, str, type[Struct]], ...] = (
    ("Namespace", "", ("v1",), "namespaces", "ns", Opaque),
    ("Node", "", ("v1",), "nodes", "no", Node),
    ("Pod", "", ("v1",), "pods", "po", Pod),
    ("Service", "", ("v1",), "services", "svc", Service),
    ("ServiceAccount", "", ("v1",), "serviceaccounts", "sa", Opaque),
    ("ConfigMap", "", ("v1",), "configmaps", "cm", ConfigMap),
    ("Secret", "", ("v1",), "secrets", "", Secret),
    ("Endpoints", "", ("v1",), "endpoints", "ep", Opaque),
    ("EndpointSlice", "discovery.k8s.io", ("v1", "v1beta1"), "endpointslices", "", EndpointSlice),
    ("Deployment", "apps", ("v1",), "deployments", "deploy", Controller),
    ("ReplicaSet", "apps", ("v1",), "replicasets", "rs", Opaque),
    ("StatefulSet", "apps", ("v1",), "statefulsets", "sts", Controller),
    ("DaemonSet", "apps", ("v1",), "daemonsets", "ds", Controller),
    ("Job", "batch", ("v1",), "jobs", "", Controller),
    ("Ingress", "networking.k8s.io", ("v1",), "ingresses", "ing", Ingress),
    ("IngressClass", "networking.k8s.io", ("v1",), "ingressclasses", "", IngressClass),
    ("Role", "rbac.authorization.k8s.io", _RBAC, "roles", "", Role),
    ("RoleBinding", "rbac.authorization.k8s.io", _RBAC, "rolebindings", "", Binding),
    ("ClusterRole", "rbac.authorization.k8s.io", _RBAC, "clusterroles", "", ClusterRole),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io", _RBAC, "clusterrolebindings", "", Binding),
)
_CLUSTER_SCOPED = {"Namespace", "Node", "IngressClass", "ClusterRole", "ClusterRoleBinding"}

_GATEWAY_API: tuple[tuple[str, tuple[str, ...], str, str, type[Struct]], ...] = (
    ("Gateway.gateway.networking.k8s.io", ("v1", "v1beta1", "v1alpha2"), "gateways", "gtw", gateway_api.Gateway),
    ("GatewayClass", ("v1", "v1beta1", "v1alpha2"), "gatewayclasses", "gc", gateway_api.GatewayClass),
    ("HTTPRoute", ("v1", "v1beta1", "v1alpha2"), "httproutes", "", gateway_routes.HTTPRoute),
    ("GRPCRoute", ("v1", "v1alpha2"), "grpcroutes", "", gateway_routes.GRPCRoute),
    ("TCPRoute", ("v1", "v1alpha2"), "tcproutes", "", gateway_routes.TCPRoute),
    ("TLSRoute", ("v1", "v1alpha3", "v1alpha2"), "tlsroutes", "", gateway_routes.TLSRoute),
    ("ListenerSet", ("v1",), "listenersets", "lset", gateway_api.ListenerSet),
    ("ReferenceGrant", ("v1", "v1beta1", "v1alpha2"), "referencegrants", "refgrant", gateway_api.ReferenceGrant),
    ("BackendTLSPolicy", ("v1", "v1alpha3"), "backendtlspolicies", "btlspolicy", gateway_api.BackendTLSPolicy),
)

# Kept and shown, without effect in the mesh: kind, group, plural, short name, namespaced.
_WITHOUT_EFFECT: tuple[tuple[str, str, str, str, bool], ...] = (
    ("Event", "", "events", "ev", True),
    ("LimitRange", "", "limitranges", "limits", True),
    ("ResourceQuota", "", "resourcequotas", "quota", True),
    ("PersistentVolume", "", "persistentvolumes", "pv", False),
    ("PersistentVolumeClaim", "", "persistentvolumeclaims", "pvc", True),
    ("ReplicationController", "", "replicationcontrollers", "rc", True),
    ("CronJob", "batch", "cronjobs", "cj", True),
    ("HorizontalPodAutoscaler", "autoscaling", "horizontalpodautoscalers", "hpa", True),
    ("VerticalPodAutoscaler", "autoscaling.k8s.io", "verticalpodautoscalers", "vpa", True),
    ("PodDisruptionBudget", "policy", "poddisruptionbudgets", "pdb", True),
    ("PodSecurityPolicy", "policy", "podsecuritypolicies", "psp", False),
    ("NetworkPolicy", "networking.k8s.io", "networkpolicies", "netpol", True),
    ("Lease", "coordination.k8s.io", "leases", "", True),
    ("PriorityClass", "scheduling.k8s.io", "priorityclasses", "pc", False),
    ("StorageClass", "storage.k8s.io", "storageclasses", "sc", False),
    ("CSIDriver", "storage.k8s.io", "csidrivers", "", False),
    ("APIService", "apiregistration.k8s.io", "apiservices", "", False),
    ("CustomResourceDefinition", "apiextensions.k8s.io", "customresourcedefinitions", "crd", False),
    ("MutatingWebhookConfiguration", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", False),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io", "validatingwebhookconfigurations", "", False),
    ("ValidatingAdmissionPolicy", "admissionregistration.k8s.io", "validatingadmissionpolicies", "", False),
    (
        "ValidatingAdmissionPolicyBinding",
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
        "",
        False,
    ),
    ("UDPRoute", "gateway.networking.k8s.io", "udproutes", "", True),
    ("XBackendTrafficPolicy", "gateway.networking.x-k8s.io", "xbackendtrafficpolicies", "xbtrafficpolicy", True),
    ("XListenerSet", "gateway.networking.x-k8s.io", "xlistenersets", "xls", True),
    ("XBackend", "gateway.networking.x-k8s.io", "xbackends", "", True),
    ("XMesh", "gateway.networking.x-k8s.io", "xmeshes", "", False),
    ("InferencePool", "inference.networking.k8s.io", "inferencepools", "infpool", True),
    ("ServiceImport", "multicluster.x-k8s.io", "serviceimports", "svcim", True),
    ("ServiceExport", "multicluster.x-k8s.io", "serviceexports", "svcex", True),
    ("IstioOperator", "install.istio.io", "istiooperators", "iop", True),
    ("PodMonitor", "monitoring.coreos.com", "podmonitors", "pmon", True),
    ("ServiceMonitor", "monitoring.coreos.com", "servicemonitors", "smon", True),
    ("PrometheusRule", "monitoring.coreos.com", "prometheusrules", "promrule", True),
    ("Certificate", "certmanager.k8s.io", "certificates", "cert", True),
    ("ClusterIssuer", "certmanager.k8s.io", "clusterissuers", "", False),
    ("Certificate.cert-manager.io", "cert-manager.io", "certificates", "", True),
    ("Issuer", "cert-manager.io", "issuers", "", True),
    ("ClusterIssuer.cert-manager.io", "cert-manager.io", "clusterissuers", "", False),
    ("ClusterFederatedTrustDomain", "spire.spiffe.io", "clusterfederatedtrustdomains", "", False),
    ("ClusterSPIFFEID", "spire.spiffe.io", "clusterspiffeids", "", False),
    ("Config", "skaffold", "configs", "", True),
    ("Application", "argoproj.io", "applications", "app", True),
)


def _table() -> dict[str, KindInfo]:
    kinds: list[KindInfo] = []
    for kind, group, versions, plural, short, body in _ISTIO:
        kinds.append(
            KindInfo(
                key=kind,
                kind=kind,
                group=f"{group}.istio.io",
                versions=versions,
                plural=plural,
                singular=kind.lower(),
                short_names=(short,) if short else (),
                body=body,
                payload="spec",
                status=WorkloadEntryStatus if kind == "WorkloadEntry" else None,
            )
        )
    for kind, group, versions, plural, short, body in _KUBERNETES:
        kinds.append(
            KindInfo(
                key=kind,
                kind=kind,
                group=group,
                versions=versions,
                plural=plural,
                singular=kind.lower(),
                short_names=(short,) if short else (),
                namespaced=kind not in _CLUSTER_SCOPED,
                body=body,
            )
        )
    for key, versions, plural, short, body in _GATEWAY_API:
        kind = key.partition(".")[0]
        kinds.append(
            KindInfo(
                key=key,
                kind=kind,
                group=gateway_api.GROUP,
                versions=versions,
                plural=plural,
                singular=kind.lower(),
                short_names=(short,) if short else (),
                namespaced=kind != "GatewayClass",
                body=body,
                payload="spec",
            )
        )
    for key, group, plural, short, namespaced in _WITHOUT_EFFECT:
        kind = key.partition(".")[0]
        kinds.append(
            KindInfo(
                key=key,
                kind=kind,
                group=group,
                versions=(),
                plural=plural,
                singular=kind.lower(),
                short_names=(short,) if short else (),
                namespaced=namespaced,
                effect="none",
            )
        )
    return {info.key: info for info in kinds}


KINDS: dict[str, KindInfo] = _table()
"""All kinds by key. The order (Istio's, Kubernetes', those without effect) decides who owns a spelling."""

_BY_GROUP_KIND = {(info.group, info.kind): info for info in KINDS.values()}


def _spellings() -> dict[str, KindInfo]:
    found: dict[str, KindInfo] = {}
    for info in KINDS.values():
        for name in (info.kind.lower(), info.plural, info.singular, *info.short_names):
            found.setdefault(name, info)
            found.setdefault(f"{name}.{info.group}", info)
            for version in info.versions:
                found.setdefault(f"{name}.{version}.{info.group}", info)
    return found


_BY_SPELLING = _spellings()


def kind_of(api_version: str, kind: str) -> KindInfo | None:
    """The kind that a document names; its version is not looked at. None: nobody knows it."""
    group = api_version.rpartition("/")[0]
    return _BY_GROUP_KIND.get((group, kind))


def find_kind(spelling: str) -> KindInfo | None:
    """The kind that a person means, in kubectl's manners: ``vs``, ``virtualservices.networking.istio.io``, ``deploy``,
    ``Gateway.gateway.networking.k8s.io``. Case does not matter."""
    return _BY_SPELLING.get(spelling.strip().lower())


def kinds_named(kind: str) -> tuple[KindInfo, ...]:
    """Every kind called so, in whatever group."""
    return tuple(info for info in KINDS.values() if info.kind == kind)
