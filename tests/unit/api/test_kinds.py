"""Kinds are found by every name that kubectl takes."""

import pytest

from mizzen.api.kinds import KINDS, find_kind, kind_of, kinds_named


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("vs", "VirtualService"),
        ("virtualservices", "VirtualService"),
        ("VirtualService", "VirtualService"),
        ("virtualservices.networking.istio.io", "VirtualService"),
        ("virtualservices.v1beta1.networking.istio.io", "VirtualService"),
        ("DR", "DestinationRule"),
        ("gw", "Gateway"),
        ("gateways.gateway.networking.k8s.io", "Gateway.gateway.networking.k8s.io"),
        ("Gateway.gateway.networking.k8s.io", "Gateway.gateway.networking.k8s.io"),
        ("gtw", "Gateway.gateway.networking.k8s.io"),
        ("deploy", "Deployment"),
        ("deployments.apps", "Deployment"),
        ("svc", "Service"),
        ("po", "Pod"),
        ("pods", "Pod"),
        ("telemetry", "Telemetry"),
        ("hpa", "HorizontalPodAutoscaler"),
        ("dr", "DestinationRule"),
        ("se", "ServiceEntry"),
        ("we", "WorkloadEntry"),
        ("wg", "WorkloadGroup"),
        ("ap", "AuthorizationPolicy"),
        ("pa", "PeerAuthentication"),
        ("ra", "RequestAuthentication"),
    ],
)
@pytest.mark.row("CM-02")
def test_every_spelling(spelling: str, key: str) -> None:
    info = find_kind(spelling)
    assert info is not None
    assert info.key == key


def test_nobody_knows_it() -> None:
    assert find_kind("spaceship") is None
    assert kind_of("v1", "Spaceship") is None
    assert kind_of("networking.istio.io/v1", "Service") is None


@pytest.mark.parametrize(
    ("kind", "versions"),
    [
        ("VirtualService", ("v1", "v1beta1", "v1alpha3")),
        ("EnvoyFilter", ("v1alpha3",)),
        ("ProxyConfig", ("v1beta1",)),
        ("AuthorizationPolicy", ("v1", "v1beta1")),
        ("Telemetry", ("v1alpha1", "v1")),
        ("WasmPlugin", ("v1alpha1",)),
    ],
)
def test_versions_with_the_storage_version_first(kind: str, versions: tuple[str, ...]) -> None:
    assert KINDS[kind].versions == versions
    assert KINDS[kind].api_version == f"{KINDS[kind].group}/{versions[0]}"


def test_the_group_decides_between_kinds_of_one_name() -> None:
    istio, gateway_api = kinds_named("Gateway")
    assert kind_of("networking.istio.io/v1", "Gateway") is istio
    assert kind_of("gateway.networking.k8s.io/v1", "Gateway") is gateway_api
    assert gateway_api.key == "Gateway.gateway.networking.k8s.io"


def test_core_group_has_no_slash() -> None:
    assert KINDS["Pod"].api_version == "v1"
    assert KINDS["HTTPRoute"].api_version == "gateway.networking.k8s.io/v1"
