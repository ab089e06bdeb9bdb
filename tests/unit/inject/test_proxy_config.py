"""Whose word counts in a pod's ProxyConfig."""

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.api.mesh_config import ProxyConfig
from mizzen.api.meta import Object
from mizzen.inject.proxy_config import effective, encode, patches


def crd(name: str, namespace: str, age: int = 1, **spec: Any) -> Object:
    meta = {"name": name, "namespace": namespace, "creationTimestamp": f"2026-01-0{age}T00:00:00Z"}
    found = decode({"apiVersion": "networking.istio.io/v1beta1", "kind": "ProxyConfig", "metadata": meta, "spec": spec})
    assert found.object is not None, found.problems
    return found.object


OBJECTS = (
    crd("root", "istio-system", concurrency=1, environmentVariables={"A": "root", "B": "root"}),
    crd("later", "shop", age=3, concurrency=9),
    crd("shop", "shop", age=2, concurrency=2, environmentVariables={"A": "shop"}, image={"imageType": "debug"}),
    crd("web", "shop", selector={"matchLabels": {"app": "web"}}, concurrency=5),
    crd("selects", "istio-system", selector={"matchLabels": {"app": "web"}}, concurrency=7),
)


def of(labels: dict[str, str], namespace: str = "shop", annotation: str | None = None) -> dict[str, Any]:
    wide, own = patches(OBJECTS, namespace, labels, "istio-system")
    return effective(ProxyConfig(concurrency=3, proxy_metadata={"C": "mesh"}), annotation, wide, own)[0]


@pytest.mark.row("PC-01")
def test_levels_from_the_mesh_to_the_selector_with_the_annotation_between() -> None:
    assert of({}, "other")["concurrency"] == 1
    found = of({})
    assert found["concurrency"] == 2
    assert found["proxyMetadata"] == {"A": "shop", "B": "root", "C": "mesh"}
    assert found["image"] == {"imageType": "debug"}
    assert of({}, annotation="concurrency: 4")["concurrency"] == 4
    assert of({"app": "web"}, annotation="concurrency: 4")["concurrency"] == 5
    assert patches((), "shop", {}, "istio-system") == ({}, {})


@pytest.mark.row("CM-05", "PC-01")
def test_a_selector_in_the_root_namespace_reaches_that_namespaces_own_pods_alone() -> None:
    assert of({"app": "web"}, "other")["concurrency"] == 1
    assert of({"app": "web"}, "istio-system")["concurrency"] == 7


@pytest.mark.row("PC-02")
def test_the_annotation_replaces_whole_fields_but_joins_two() -> None:
    mesh = ProxyConfig(
        proxy_metadata={"A": "1", "B": "2"},
        gateway_topology={"numTrustedProxies": 2, "forwardClientCertDetails": "SANITIZE"},
        proxy_headers={"server": {"value": "mesh"}, "attemptCount": {"disabled": True}},
    )
    text = "{proxyMetadata: {B: '3'}, gatewayTopology: {numTrustedProxies: 1}, proxyHeaders: {server: {value: own}}}"
    found, unknown = effective(mesh, text)
    assert found["proxyMetadata"] == {"A": "1", "B": "3"}
    assert found["gatewayTopology"] == {"numTrustedProxies": 1}
    assert found["proxyHeaders"] == {"server": {"value": "own"}, "attemptCount": {"disabled": True}}
    assert not unknown
    assert effective(mesh, "{statusPort: 15999, moon: 1}")[1] == ["moon"]
    assert encode({"concurrency": 2}) == '{"concurrency":2}\n'


@pytest.mark.parametrize("text", ["[1]", "{", "concurrency: {a: 1}", "proxyMetadata: [1]", "tracing: 5"])
def test_what_is_no_proxy_config_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        effective(ProxyConfig(), text)
