"""What the environment says to the control plane, read once at start and passed down."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import TypeVar

from mizzen.api.meta import Duration
from mizzen.errors import MeshError
from mizzen.model.features import Features, GatewayApi, RemoteKeys

T = TypeVar("T")


REFUSED = {
    "COMPLIANCE_POLICY": "upstream Envoy is no validated module; set meshConfig.meshMTLS for versions and suites",
    "ENABLE_MCS_AUTO_EXPORT": "services of several clusters are one by their names; ServiceExport has no effect",
    "ENABLE_MCS_CLUSTER_LOCAL": "serviceSettings of the mesh config keep services in their cluster",
    "ENABLE_MCS_HOST": "names below clusterset.local are not served",
    "ENABLE_MCS_SERVICE_DISCOVERY": "services of several clusters are one by their names; ServiceExport has no effect",
    "EXTERNAL_CA": "certificates are signed here, or by what Secret cacerts plugs in",
    "EXTERNAL_ISTIOD": "a control plane serves the proxies of its own cluster; each cluster has one",
    "JWT_RULE": "tokens are those of service accounts",
    "PILOT_ENABLE_ANALYSIS": "findings are told by `mizzen analyze`, not written into objects",
    "PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES": "a call to a headless service goes to the pod that was dialled",
    "PILOT_ENABLE_HEADLESS_FILTER_CHAIN_LISTENER": "each pod of a headless service has a listener of its own",
    "LOCAL_CLUSTER_SECRET_WATCHER": "remote secrets are read in the control plane's own cluster",
    "PILOT_MULTICLUSTER_KUBECONFIG_PATH": 'other clusters are told of by Secrets labelled istio/multiCluster: "true"',
    "TRUSTED_GATEWAY_CIDR": "identities that a gateway claims for others are not believed",
}
"""Istio's variables that would be dangerous to ignore, and why they cannot be had (rows CM-15, PA-12, CA-06, CA-07, CA-13, MCL-01 to MCL-07, OL-09)."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Named after Istio's variables (rows AP-06, CM-12, CM-14, RA-05, RA-06, RA-19, RA-20, CA-04, CA-09, CR-01, CR-06, VM-03, XD-03, XD-05, XD-06, DBG-02, MCL-01, MN-02); times are lengths."""

    default_workload_cert_ttl: timedelta = timedelta(hours=24)
    max_workload_cert_ttl: timedelta = timedelta(days=90)
    self_signed_ca_cert_ttl: timedelta = timedelta(days=3650)
    root_check: timedelta = timedelta(hours=1)
    root_grace: float = 20.0
    multiroot: bool = False
    revocation: bool = True
    token_audiences: tuple[str, ...] = ("istio-ca",)
    custom_hosts: tuple[str, ...] = ()
    namespace: str = "istio-system"
    cluster_id: str = "Kubernetes"
    remote_timeout: timedelta = timedelta(seconds=30)
    """How long the control plane waits at its start for each other cluster (row MCL-01)."""
    remote_entries: bool = True
    """Whether WorkloadEntries of other clusters count (row MCL-05)."""
    insecure_kubeconfig: tuple[str, ...] = ()
    """What kubeconfigs of remote secrets may use although it runs programs or reads files."""
    revision: str = "default"
    shared_mesh_config: str = ""
    """A ConfigMap of mesh config that lies under the usual one (row MC-01)."""
    ignored_resources: tuple[str, ...] = ()
    included_resources: tuple[str, ...] = ()
    identity_check: bool = True
    debug_auth: bool = True
    debug_on_http: bool = True
    debug_namespaces: tuple[str, ...] = ()
    jwks_refresh: timedelta = timedelta(minutes=20)
    jwks_blocked: tuple[str, ...] = ()
    jwks_unverified: bool = False
    resolve_gateways: bool = True
    """Whether the names of networks' gateways are looked up (row MN-02)."""
    features: Features = field(default_factory=Features)
    entry_registration: bool = True
    entry_checks: bool = True
    entry_identity: bool = True
    entry_grace: timedelta = timedelta(seconds=10)
    coalesce: timedelta = timedelta(milliseconds=100)
    streams_per_second: float = 0

    @property
    def stream_rate(self) -> float:
        """New streams per second: as set, else 15 and 5 more per core, 100 at most (row XD-05)."""
        return self.streams_per_second or min(15 + 5 * (os.cpu_count() or 1), 100)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Raises MeshError, naming the variable, when a value is none of its type."""
        for name, reason in REFUSED.items():
            if environment.get(name, "").lower() not in ("", "false"):
                raise MeshError(f"the environment variable {name} is not supported: {reason}")
        provider = environment.get("PILOT_CERT_PROVIDER") or "istiod"
        if provider != "istiod":
            raise MeshError(
                f"the environment variable PILOT_CERT_PROVIDER may not be {provider!r}: the control plane's certificate is "
                "signed by its own authority, or comes from files"
            )
        if not _read(environment, "ENABLE_CA_SERVER", _boolean, True):
            raise MeshError("the environment variable ENABLE_CA_SERVER may not be false: there is no other authority")
        ttl = _read(environment, "DEFAULT_WORKLOAD_CERT_TTL", _duration, cls.default_workload_cert_ttl)
        longest = _read(environment, "MAX_WORKLOAD_CERT_TTL", _duration, cls.max_workload_cert_ttl)
        return cls(
            default_workload_cert_ttl=min(ttl, longest),
            max_workload_cert_ttl=longest,
            self_signed_ca_cert_ttl=_read(
                environment, "CITADEL_SELF_SIGNED_CA_CERT_TTL", _duration, cls.self_signed_ca_cert_ttl
            ),
            root_check=_read(environment, "CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL", _pause, cls.root_check),
            root_grace=_read(
                environment, "CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE", float, cls.root_grace
            ),
            multiroot=_read(environment, "ISTIO_MULTIROOT_MESH", _boolean, False),
            revocation=_read(environment, "PILOT_ENABLE_CA_CRL", _boolean, True),
            token_audiences=_read(environment, "TOKEN_AUDIENCES", _words, cls.token_audiences),
            custom_hosts=_read(environment, "ISTIOD_CUSTOM_HOST", _words, ()),
            namespace=environment.get("POD_NAMESPACE") or cls.namespace,
            cluster_id=environment.get("CLUSTER_ID") or cls.cluster_id,
            remote_timeout=_read(environment, "PILOT_REMOTE_CLUSTER_TIMEOUT", _pause, cls.remote_timeout),
            remote_entries=_read(environment, "PILOT_ENABLE_CROSS_CLUSTER_WORKLOAD_ENTRY", _boolean, True),
            insecure_kubeconfig=_read(environment, "PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS", _words, ()),
            revision=environment.get("REVISION") or cls.revision,
            shared_mesh_config=environment.get("SHARED_MESH_CONFIG", ""),
            ignored_resources=_read(environment, "PILOT_IGNORE_RESOURCES", _words, ()),
            included_resources=_read(environment, "PILOT_INCLUDE_RESOURCES", _words, ()),
            identity_check=_read(environment, "PILOT_ENABLE_XDS_IDENTITY_CHECK", _boolean, True),
            debug_auth=_read(environment, "ENABLE_DEBUG_ENDPOINT_AUTH", _boolean, True),
            debug_on_http=_read(environment, "ENABLE_DEBUG_ON_HTTP", _boolean, True),
            debug_namespaces=_read(environment, "DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES", _words, ()),
            jwks_refresh=_read(environment, "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL", _duration, cls.jwks_refresh),
            jwks_blocked=_read(environment, "BLOCKED_CIDRS_IN_JWKS_URIS", _networks, ()),
            jwks_unverified=_read(environment, "JWKS_RESOLVER_INSECURE_SKIP_VERIFY", _boolean, False),
            resolve_gateways=_read(environment, "RESOLVE_HOSTNAME_GATEWAYS", _boolean, True),
            features=Features(
                ip_autoallocate=_read(environment, "PILOT_ENABLE_IP_AUTOALLOCATE", _boolean, True),
                gateway_selectors=_read(environment, "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", _boolean, True),
                gateway_api=_gateway_api(environment),
                several_authorizers=_read(environment, "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS", _boolean, False),
                network_gateway_api=_read(environment, "PILOT_MULTI_NETWORK_DISCOVER_GATEWAY_API", _boolean, True),
                multicluster_headless=_read(environment, "ENABLE_MULTICLUSTER_HEADLESS", _boolean, True),
                strict_gateways=_read(environment, "PILOT_ENABLE_STRICT_GATEWAY_MERGING", _boolean, True),
                remote_keys=_read(environment, "PILOT_JWT_ENABLE_REMOTE_JWKS", _remote_keys, RemoteKeys.CONTROL_PLANE),
            ),
            entry_registration=_read(
                environment, "PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION", _boolean, cls.entry_registration
            ),
            entry_checks=_read(environment, "PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS", _boolean, cls.entry_checks),
            entry_identity=_read(environment, "ISTIO_WORKLOAD_ENTRY_VALIDATE_IDENTITY", _boolean, cls.entry_identity),
            entry_grace=_read(environment, "PILOT_WORKLOAD_ENTRY_GRACE_PERIOD", _duration, cls.entry_grace),
            coalesce=_read(environment, "PILOT_DEBOUNCE_AFTER", _pause, cls.coalesce),
            streams_per_second=_read(environment, "PILOT_MAX_REQUESTS_PER_SECOND", float, 0.0),
        )


def _read(environment: Mapping[str, str], name: str, parse: Callable[[str], T], default: T) -> T:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        return parse(text)
    except ValueError as error:
        raise MeshError(f"the environment variable {name} has the value {text!r}: {error}") from error


def _gateway_api(environment: Mapping[str, str]) -> GatewayApi:
    """The variables of the Gateway API (rows GA-01, GA-02, GA-04, GA-05)."""
    return GatewayApi(
        enabled=_read(environment, "PILOT_ENABLE_GATEWAY_API", _boolean, True),
        manual=_read(environment, "ENABLE_GATEWAY_API_MANUAL_DEPLOYMENT", _boolean, True),
        copies=_read(environment, "PILOT_ENABLE_GATEWAY_API_COPY_LABELS_ANNOTATIONS", _boolean, True),
        default_class=environment.get("PILOT_GATEWAY_API_DEFAULT_GATEWAYCLASS_NAME") or "istio",
    )


def _pause(text: str) -> timedelta:
    return timedelta(microseconds=max(Duration.parse(text).nanos, 0) / 1000)


def _duration(text: str) -> timedelta:
    length = _pause(text)
    if length <= timedelta(0):
        raise ValueError("a length of time above zero is needed")
    return length


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(word)) for word in _words(text))


def _remote_keys(text: str) -> RemoteKeys:
    """Istio takes the words of a switch as well (row RA-06)."""
    word = text.lower()
    if word in ("true", "false"):
        return RemoteKeys.HYBRID if word == "true" else RemoteKeys.CONTROL_PLANE
    return RemoteKeys(word)


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1", "t"):
        return True
    if text.lower() in ("false", "0", "f"):
        return False
    raise ValueError("true or false is needed")
