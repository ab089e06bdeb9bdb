"""Which extensions a proxy has, and how it comes to their modules."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.extension import Delivery, Fetched, Way
from mizzen.model.proxy import Proxy, ProxyType
from mizzen.model.view import Plugins
from mizzen.resolve import build
from mizzen.resolve.extensions import extension_findings, extensions, plugins
from tests.meshes import new

API = "extensions.istio.io/v1alpha1"
PROXY = Proxy(id="x", type=ProxyType.SIDECAR, address="10.0.0.1", name="p", namespace="a", labels={"app": "web"})
FETCHING = replace(PROXY, fetches=True)


def plugin(name: str, namespace: str = "a", kind: str = "WasmPlugin", version: str = "", **spec: Any) -> Object:
    made = new(API, kind, namespace, name, {"url": "oci://r.example/x:v1", **spec} if kind == "WasmPlugin" else spec)
    return replace(made, meta=replace(made.meta, resource_version=version)) if version else made


def of(proxy: Proxy, *objects: Object) -> Plugins:
    return plugins(build(Config().with_objects(objects)), proxy)


def names(proxy: Proxy, *objects: Object) -> list[str]:
    return [item.owner.name for item, _ in of(proxy, *objects).entries]


def delivery(proxy: Proxy, *objects: Object) -> Delivery:
    ((_, found),) = of(proxy, *objects).entries
    return found


@pytest.mark.row("WP-11", "CM-05")
@pytest.mark.parametrize("kind", ["WasmPlugin", "TrafficExtension"])
def test_the_root_namespaces_selectors_reach_every_namespace_and_anothers_none(kind: str) -> None:
    rest: dict[str, Any] = {} if kind == "WasmPlugin" else {"lua": {"inlineCode": "x"}}
    chosen = {"selector": {"matchLabels": {"app": "web"}}, **rest}
    root, everywhere = plugin("root", "istio-system", kind, **chosen), plugin("all", "istio-system", kind, **rest)
    own, other = plugin("own", "a", kind, **chosen), plugin("other", "b", kind, **rest)
    assert sorted(names(PROXY, root, everywhere, own, other)) == ["all", "own", "root"]
    assert names(replace(PROXY, labels={}), root, everywhere, own, other) == ["all"]


@pytest.mark.row("WP-11")
def test_a_plugin_for_a_gateway_of_the_gateway_api_is_for_its_pods_only() -> None:
    refs = [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}]
    labels = {"gateway.networking.k8s.io/gateway-name": "gw"}
    assert names(replace(PROXY, labels=labels), plugin("p", targetRefs=refs)) == ["p"]
    assert names(PROXY, plugin("p", targetRefs=refs)) == []


@pytest.mark.row("WP-06")
def test_priority_then_own_namespace_then_age_then_name() -> None:
    objects = {
        ("root", "old"): plugin("old", "root"),
        ("a", "b"): plugin("b"),
        ("a", "a"): plugin("a"),
        ("a", "low"): plugin("low", priority=-1),
        ("root", "high"): plugin("high", "root", priority=7),
    }
    assert [e.owner.name for e in extensions(objects, {}, "root")] == ["high", "low", "a", "b", "old"]


@pytest.mark.row("WP-13")
def test_an_extension_that_is_neither_is_left_out() -> None:
    assert extensions({}, {("a", "x"): plugin("x", kind="TrafficExtension")}, "root") == ()


@pytest.mark.row("WP-02", "WP-15", "AG-12")
def test_how_a_proxy_comes_to_a_module() -> None:
    one = plugin("p")
    ((item, _),) = of(PROXY, one).entries
    assert item.module is not None
    key = item.module.key
    assert delivery(PROXY, one) == Delivery(Way.REMOTE), "no agent of ours"
    assert delivery(FETCHING, one) == Delivery(Way.UNKNOWN), "the agent has said nothing"
    assert delivery(replace(FETCHING, modules={}), one) == Delivery(Way.AWAITED)
    failed = replace(FETCHING, modules={key: Fetched(error="404")})
    assert delivery(failed, one) == Delivery(Way.FAILED, reason="404")
    there = replace(FETCHING, modules={key: Fetched("ab" * 32)})
    assert delivery(there, one) == Delivery(Way.FILE, f"/var/lib/istio/data/{'ab' * 32}.wasm")
    assert delivery(FETCHING, plugin("p", url="file:///opt/x.wasm")) == Delivery(Way.FILE, "/opt/x.wasm")


@pytest.mark.row("WP-01")
def test_a_url_without_a_scheme_is_an_image() -> None:
    ((item, _),) = of(PROXY, plugin("p", url="r.example/x:v1")).entries
    assert item.module is not None
    assert item.module.url == "oci://r.example/x:v1"


@pytest.mark.row("WP-04")
@pytest.mark.parametrize(
    ("spec", "again"),
    [
        ({"url": "oci://r.example:5000/x:v1"}, False),
        ({"url": "oci://r.example:5000/x:latest"}, True),
        ({"url": "r.example:5000/x"}, True),
        ({"url": f"oci://r.example/x@sha256:{'0' * 64}"}, False),
        ({"url": "https://h.example/x.wasm"}, False),
        ({"url": "https://h.example/x.wasm", "imagePullPolicy": "Always"}, True),
        ({"url": "oci://r.example/x:latest", "imagePullPolicy": "IfNotPresent"}, False),
    ],
)
def test_a_changed_object_is_fetched_again_where_the_policy_says_so(spec: dict[str, str], again: bool) -> None:
    keys = []
    for version in ("1", "2"):
        ((item, _),) = of(PROXY, plugin("p", version=version, **spec)).entries
        assert item.module is not None
        keys.append(item.module.key)
    assert (keys[0] != keys[1]) is again


@pytest.mark.row("WP-04")
def test_a_pull_secret_that_is_missing_or_none_is_told() -> None:
    objects = {("a", "p"): plugin("p", imagePullSecret="pull")}
    found = extensions(objects, {}, "istio-system")
    missing = extension_findings(found, {})
    assert [(f.code, f.field) for f in missing] == [("IST0101", "spec.imagePullSecret")]
    wrong = new("v1", "Secret", "a", "pull", {}, type="Opaque")
    assert [f.code for f in extension_findings(found, {("a", "pull"): wrong})] == ["MZ0407"]
    right = new("v1", "Secret", "a", "pull", {}, type="kubernetes.io/dockerconfigjson")
    assert extension_findings(found, {("a", "pull"): right}) == ()
