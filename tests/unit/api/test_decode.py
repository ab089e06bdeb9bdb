"""Documents become objects, or problems."""

from typing import Any

import pytest

from mizzen.api.decode import decode, decode_mesh, decode_proxy_config, readable_body, too_deep
from mizzen.api.gateway import Gateway
from mizzen.api.kinds import KINDS
from mizzen.api.meta import Duration, LabelSelector, Origin


def document(
    kind: str = "VirtualService", spec: Any = None, version: str = "networking.istio.io/v1", **meta: Any
) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a", **meta}, "spec": spec}


def paths(raw: object) -> list[tuple[str, bool]]:
    return [(p.path, p.fatal) for p in decode(raw).problems]


def test_an_object() -> None:
    got = decode(document(spec={"hosts": ["x"], "http": [{"timeout": "5s"}]}, namespace="b"), Origin("f", 3))
    assert got.problems == ()
    assert got.object is not None
    assert (got.object.kind, got.object.namespace, got.object.name, got.object.origin) == (
        "VirtualService",
        "b",
        "a",
        Origin("f", 3),
    )
    assert got.object.body.http[0].timeout == Duration(5_000_000_000)


@pytest.mark.row("CM-01")
@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha3"])
def test_every_served_version_gives_the_same_object(version: str) -> None:
    spec = {"hosts": ["x"], "http": [{"route": [{"destination": {"host": "y"}}]}]}
    first, other = decode(document(spec=spec)), decode(document(spec=spec, version=f"networking.istio.io/{version}"))
    assert first == other


ISTIO = {f"{area}.istio.io" for area in ("networking", "security", "telemetry", "extensions")}
_MINIMAL: dict[str, Any] = {"ServiceEntry": {"hosts": ["a.b"]}, "WorkloadGroup": {"template": {}}}


@pytest.mark.row("CM-01")
@pytest.mark.parametrize("kind", [k for k, info in KINDS.items() if info.group in ISTIO])
def test_every_kind_of_istio_in_each_of_its_versions(kind: str) -> None:
    group, versions = KINDS[kind].group, KINDS[kind].versions
    found = [decode(document(kind, _MINIMAL.get(kind, {}), f"{group}/{version}")) for version in versions]
    assert found[0].object is not None
    assert all(other == found[0] for other in found)
    for version in {"v1", "v1beta1", "v1alpha1", "v1alpha3", "v2"} - set(versions):
        assert paths(document(kind, {}, f"{group}/{version}")) == [("apiVersion", True)], version


@pytest.mark.row("CM-04")
def test_snake_case_is_refused_where_a_schema_stands_in_front() -> None:
    spec = {"hosts": ["x"], "export_to": ["."]}
    assert paths(document(spec=spec)) == [("spec.export_to", True)]


def test_a_version_that_is_not_served() -> None:
    assert paths(document("EnvoyFilter", {}, "networking.istio.io/v1")) == [("apiVersion", True)]


def test_namespaces() -> None:
    assert decode(document(spec={}), namespace="shop").namespace == "shop"
    node = decode({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "namespace": "x"}})
    assert node.namespace == ""
    assert node.object is not None


@pytest.mark.parametrize(
    "raw",
    [
        None,
        5,
        "text",
        [],
        {},
        {"kind": "Pod"},
        {"apiVersion": "v1"},
        {"apiVersion": 1, "kind": []},
        {"apiVersion": "v1", "kind": "Spaceship"},
    ],
)
def test_what_is_no_object_is_one_problem(raw: object) -> None:
    got = decode(raw)
    assert got.object is None
    assert [p.fatal for p in got.problems] == [True]


def test_unknown_kinds_come_with_a_hint() -> None:
    assert "did you mean VirtualService?" in decode(document("Virtualservice")).problems[0].message
    assert "networking.istio.io/v1" in decode(document("VirtualService", version="v1")).problems[0].message


def test_kinds_without_effect_are_a_warning() -> None:
    got = decode(document("HorizontalPodAutoscaler", version="autoscaling/v2"))
    assert got.object is not None
    assert [(p.code, p.fatal) for p in got.problems] == [("MZ0002", False)]


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "", "x" * 254, "a/b"])
def test_names(name: str) -> None:
    assert ("metadata.name", True) in paths({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def test_bad_metadata() -> None:
    assert paths({"apiVersion": "v1", "kind": "ConfigMap", "metadata": []}) == [("metadata", True)]
    assert paths({"apiVersion": "v1", "kind": "ConfigMap"}) == [("metadata.name", True)]
    assert paths({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": 1}}}) == [
        ("metadata.labels.x", True)
    ]
    assert paths({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "a.b"}}) == [
        ("metadata.namespace", True)
    ]


@pytest.mark.row("CM-04")
def test_unknown_fields_are_reported_in_istio_kinds_only() -> None:
    assert paths({**document(spec={"host": ["x"]}), "specs": {}}) == [("specs", True), ("spec.host", True)]
    assert (
        paths(
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ipFamilies": ["IPv4"]}, "x": 1}
        )
        == []
    )


def test_kubernetes_bodies_are_whole_documents() -> None:
    got = decode(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "a"},
            "spec": {"ports": [{"port": 80, "targetPort": "http"}]},
        }
    )
    assert got.object is not None
    assert got.object.body.spec.ports[0].target_port == "http"


def test_the_selector_of_a_sidecar_is_written_labels() -> None:
    got = decode(document("Sidecar", {"workloadSelector": {"labels": {"app": "a"}}, "egress": [{"hosts": ["./*"]}]}))
    assert got.object is not None
    selector = got.object.body.workload_selector
    assert isinstance(selector, LabelSelector)
    assert selector.matches({"app": "a"})
    assert not selector.matches({"app": "b"})


@pytest.mark.row("AP-21")
def test_an_empty_list_of_sources_is_refused_but_none_is_not() -> None:
    policy = "security.istio.io/v1"
    assert paths(document("AuthorizationPolicy", {"rules": [{"from": []}]}, policy)) == [("spec.rules[0].from", True)]
    assert paths(document("AuthorizationPolicy", {"rules": [{}]}, policy)) == []


def test_depth() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    assert too_deep(deep)
    assert not too_deep({"a": [{"b": 1}]})
    endless: list[Any] = []
    endless.append(endless)
    assert too_deep(endless)
    assert decode(document(spec={"hosts": deep})).object is None


@pytest.mark.row("CM-04")
def test_mesh_config_is_lenient() -> None:
    mesh, problems = decode_mesh({"trust_domain": "td", "connectTimeout": "3s", "nonsense": 1, "proxyListenPort": []})
    assert (mesh.trust_domain, mesh.connect_timeout) == ("td", Duration(3_000_000_000))
    assert mesh.proxy_listen_port == 15001
    assert [(p.path, p.fatal) for p in problems] == [("nonsense", False), ("proxyListenPort", True)]
    assert decode_mesh(None)[0].enable_auto_mtls
    assert [p.fatal for p in decode_mesh("text")[1]] == [True]


def test_proxy_config() -> None:
    config, problems = decode_proxy_config({"concurrency": 2, "proxyMetadata": {"A": "b"}})
    assert problems == ()
    assert (config.concurrency, config.proxy_metadata) == (2, {"A": "b"})


def test_what_can_be_read_of_a_broken_document() -> None:
    info = KINDS["Gateway"]
    body = readable_body({"spec": {"selector": {"a": "b"}, "servers": [{"bind": 5, "hosts": ["x"]}], "more": 1}}, info)
    assert (body.selector, body.servers[0].hosts, body.servers[0].bind) == ({"a": "b"}, ("x",), "")
    assert readable_body({"spec": [1]}, info) is None
    assert readable_body({}, info) == Gateway()
    deep: dict[str, object] = {}
    for _ in range(200):
        deep = {"spec": deep}
    assert readable_body(deep, info) is None


@pytest.mark.row("GA-16", "GA-17")
@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("gateway.networking.x-k8s.io/v1alpha1", "XBackendTrafficPolicy"),
        ("inference.networking.k8s.io/v1", "InferencePool"),
    ],
)
def test_experimental_kinds_of_the_gateway_api_are_told_to_have_no_effect(version: str, kind: str) -> None:
    got = decode({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "a"}, "spec": {}})
    assert got.object is not None
    assert [(p.code, p.fatal) for p in got.problems] == [("MZ0002", False)]
