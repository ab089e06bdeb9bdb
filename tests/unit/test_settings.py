"""The control plane's environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mizzen.errors import MeshError
from mizzen.model.features import Features, GatewayApi, RemoteKeys
from mizzen.settings import Settings


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.of({}) == Settings()
    assert Settings.of({"POD_NAMESPACE": "", "TOKEN_AUDIENCES": ""}) == Settings()


@pytest.mark.row("XD-03", "XD-05")
def test_each_variable_is_read() -> None:
    found = Settings.of(
        {
            "DEFAULT_WORKLOAD_CERT_TTL": "90m",
            "TOKEN_AUDIENCES": "a, b,",
            "POD_NAMESPACE": "mesh",
            "PILOT_ENABLE_XDS_IDENTITY_CHECK": "false",
            "ENABLE_DEBUG_ENDPOINT_AUTH": "0",
            "BLOCKED_CIDRS_IN_JWKS_URIS": "10.0.0.0/8,::1",
            "PILOT_DEBOUNCE_AFTER": "0s",
            "PILOT_IGNORE_RESOURCES": "*.istio.io",
            "PILOT_INCLUDE_RESOURCES": "gateways.networking.istio.io",
            "PILOT_MAX_REQUESTS_PER_SECOND": "7",
            "CLUSTER_ID": "c1",
            "PILOT_REMOTE_CLUSTER_TIMEOUT": "2s",
            "PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS": "exec",
            "RESOLVE_HOSTNAME_GATEWAYS": "false",
            "ENABLE_MULTICLUSTER_HEADLESS": "false",
            "PILOT_ENABLE_CROSS_CLUSTER_WORKLOAD_ENTRY": "false",
            "PILOT_MULTI_NETWORK_DISCOVER_GATEWAY_API": "false",
        }
    )
    assert (found.cluster_id, found.remote_timeout, found.insecure_kubeconfig) == (
        "c1",
        timedelta(seconds=2),
        ("exec",),
    )
    assert (found.resolve_gateways, found.features.multicluster_headless) == (False, False)
    assert (found.remote_entries, found.features.network_gateway_api) == (False, False)
    assert found.default_workload_cert_ttl == timedelta(minutes=90)
    assert (found.token_audiences, found.namespace) == (("a", "b"), "mesh")
    assert (found.identity_check, found.debug_auth) == (False, False)
    assert found.jwks_blocked == ("10.0.0.0/8", "::1/128")
    assert (found.ignored_resources, found.included_resources) == (("*.istio.io",), ("gateways.networking.istio.io",))
    assert (found.coalesce, found.stream_rate) == (timedelta(0), 7)


@pytest.mark.row("CM-07", "GW-26", "GA-02", "GA-04", "GA-05", "VM-03")
def test_switches_have_istios_names() -> None:
    found = Settings.of(
        {
            "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY": "false",
            "PILOT_ENABLE_STRICT_GATEWAY_MERGING": "false",
            "PILOT_ENABLE_GATEWAY_API": "false",
            "ENABLE_GATEWAY_API_MANUAL_DEPLOYMENT": "false",
            "PILOT_ENABLE_GATEWAY_API_COPY_LABELS_ANNOTATIONS": "false",
            "PILOT_GATEWAY_API_DEFAULT_GATEWAYCLASS_NAME": "mine",
            "PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION": "false",
            "PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS": "false",
            "ISTIO_WORKLOAD_ENTRY_VALIDATE_IDENTITY": "false",
            "PILOT_WORKLOAD_ENTRY_GRACE_PERIOD": "3s",
        }
    )
    features = found.features
    assert (features.gateway_selectors, features.strict_gateways) == (False, False)
    assert features.gateway_api == GatewayApi(enabled=False, manual=False, copies=False, default_class="mine")
    assert (found.entry_registration, found.entry_checks, found.entry_identity) == (False, False, False)
    assert found.entry_grace == timedelta(seconds=3)
    usual = Settings()
    assert (usual.features.gateway_selectors, usual.features.strict_gateways) == (True, True)
    assert (usual.entry_registration, usual.entry_identity, usual.entry_grace) == (True, True, timedelta(seconds=10))


@pytest.mark.row("DBG-02")
def test_who_sees_the_debug_pages_and_whether_there_are_any() -> None:
    usual = Settings()
    assert (usual.debug_auth, usual.debug_on_http, usual.debug_namespaces) == (True, True, ())
    found = Settings.of({"ENABLE_DEBUG_ON_HTTP": "false", "DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES": "tools, watch"})
    assert (found.debug_on_http, found.debug_namespaces) == (False, ("tools", "watch"))


@pytest.mark.row("CA-04")
def test_no_certificate_lives_longer_than_the_longest() -> None:
    found = Settings.of({"DEFAULT_WORKLOAD_CERT_TTL": "48h", "MAX_WORKLOAD_CERT_TTL": "1h"})
    assert found.default_workload_cert_ttl == found.max_workload_cert_ttl == timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEFAULT_WORKLOAD_CERT_TTL", "soon"),
        ("MAX_WORKLOAD_CERT_TTL", "0s"),
        ("MAX_WORKLOAD_CERT_TTL", "-1h"),
        ("ENABLE_DEBUG_ENDPOINT_AUTH", "maybe"),
        ("BLOCKED_CIDRS_IN_JWKS_URIS", "10.0.0.1/8"),
        ("PILOT_MAX_REQUESTS_PER_SECOND", "many"),
    ],
)
def test_a_value_of_another_type_stops_the_start_and_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(MeshError, match=name):
        Settings.of({name: value})


def test_streams_grow_with_the_cores_up_to_a_hundred() -> None:
    assert 20 <= Settings().stream_rate <= 100


@pytest.mark.row("AP-06", "RA-06", "RA-20")
def test_switches_that_change_what_proxies_are_told() -> None:
    found = Settings.of(
        {
            "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS": "true",
            "PILOT_JWT_ENABLE_REMOTE_JWKS": "true",
            "JWKS_RESOLVER_INSECURE_SKIP_VERIFY": "true",
        }
    )
    assert found.features == Features(several_authorizers=True, remote_keys=RemoteKeys.HYBRID)
    assert found.jwks_unverified


@pytest.mark.row("RA-06")
@pytest.mark.parametrize(
    ("word", "mode"), [("false", "istiod"), ("istiod", "istiod"), ("hybrid", "hybrid"), ("Envoy", "envoy")]
)
def test_who_fetches_token_keys(word: str, mode: str) -> None:
    assert Settings.of({"PILOT_JWT_ENABLE_REMOTE_JWKS": word}).features.remote_keys == mode


def test_a_fetcher_that_nobody_knows_is_refused() -> None:
    with pytest.raises(MeshError, match="PILOT_JWT_ENABLE_REMOTE_JWKS"):
        Settings.of({"PILOT_JWT_ENABLE_REMOTE_JWKS": "nobody"})


@pytest.mark.row("CM-15", "PA-12", "CA-06", "CA-07", "CA-13", "CR-06", "MCL-02", "MCL-04", "MCL-06", "MCL-07")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMPLIANCE_POLICY", "fips-140-2"),
        ("JWT_RULE", '{"issuer": "x"}'),
        ("TRUSTED_GATEWAY_CIDR", "10.0.0.0/8"),
        ("PILOT_ENABLE_ANALYSIS", "true"),
        ("EXTERNAL_CA", "ISTIOD_RA_KUBERNETES_API"),
        ("PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES", "true"),
        ("ENABLE_CA_SERVER", "false"),
        ("EXTERNAL_ISTIOD", "true"),
        ("LOCAL_CLUSTER_SECRET_WATCHER", "true"),
        ("PILOT_MULTICLUSTER_KUBECONFIG_PATH", "/etc/clusters"),
        ("ENABLE_MCS_SERVICE_DISCOVERY", "true"),
        ("ENABLE_MCS_HOST", "true"),
        ("ENABLE_MCS_CLUSTER_LOCAL", "true"),
        ("ENABLE_MCS_AUTO_EXPORT", "true"),
        ("PILOT_CERT_PROVIDER", "kubernetes"),
        ("PILOT_CERT_PROVIDER", "k8s.io/legacy"),
        ("PILOT_CERT_PROVIDER", "none"),
    ],
)
def test_what_would_be_dangerous_to_ignore_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(MeshError, match=name):
        Settings.of({name: value})
    Settings.of({name: ""})
    Settings.of({"ENABLE_CA_SERVER": "true", "PILOT_ENABLE_ANALYSIS": "false"})
