"""Which Telemetry objects are in force, and what is told of them."""

from typing import Any

import pytest
from msgspec.structs import replace

from mizzen.api.decode import decode_mesh
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.features import Features
from mizzen.model.snapshot import Snapshot
from mizzen.resolve import build
from mizzen.resolve.telemetry import applicable, is_prometheus, telemetries
from tests.meshes import new, service, sidecar

API = "telemetry.istio.io/v1"
SINK = service("sink", "watch", 9, [{"name": "http", "port": 9411}])
ZIPKIN = {"name": "z", "zipkin": {"service": "sink.watch.svc.cluster.local", "port": 9411}}


def telemetry(namespace: str, name: str, age: int = 0, **spec: Any) -> Object:
    return new(API, "Telemetry", namespace, name, spec, meta={"creationTimestamp": f"2026-01-01T00:00:{age:02}Z"})


def snapshot(*objects: Object, **mesh: Any) -> Snapshot:
    config, problems = decode_mesh(mesh)
    assert not problems
    return build(Config(mesh=config).with_objects([SINK, *objects]))


def names(found: Snapshot, namespace: str, **labels: str) -> list[str]:
    return [obj.name for obj in applicable(found, replace(sidecar(), namespace=namespace, labels=labels))]


def selecting(**labels: str) -> dict[str, Any]:
    return {"selector": {"matchLabels": labels}}


@pytest.mark.row("TM-01")
def test_wide_before_narrow_and_the_older_before_the_younger() -> None:
    found = snapshot(
        telemetry("istio-system", "mesh", 5),
        telemetry("istio-system", "younger", 6),
        telemetry("bar", "namespace", 5, selector={}),
        telemetry("bar", "second", 4, **selecting(app="web")),
        telemetry("bar", "first", 3, **selecting(version="v1")),
        telemetry("bar", "other", 1, **selecting(app="cart")),
        telemetry("foo", "elsewhere", 1),
    )
    assert names(found, "bar", app="web", version="v1") == ["mesh", "namespace", "first", "second"]
    assert names(found, "empty") == ["mesh"]
    assert names(snapshot(), "bar") == []


@pytest.mark.row("TM-01", "CM-05")
def test_a_selector_in_the_root_namespace_reaches_that_namespace_alone() -> None:
    found = snapshot(telemetry("istio-system", "mesh", 5), telemetry("istio-system", "web", 6, **selecting(app="web")))
    assert names(found, "bar", app="web") == ["mesh"]
    assert names(found, "istio-system", app="web") == ["mesh", "web"]
    moved = snapshot(telemetry("istio-system", "web", 6, **selecting(app="web")), rootNamespace="root")
    assert names(moved, "istio-system", app="web") == ["web"]


@pytest.mark.row("TM-01", "CM-07", "GA-21")
def test_a_target_is_a_gateway_of_its_own_namespace() -> None:
    ref = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "front"}
    found = snapshot(telemetry("bar", "targeted", targetRefs=[ref]), telemetry("foo", "foreign", targetRefs=[ref]))
    assert names(found, "bar", **{"gateway.networking.k8s.io/gateway-name": "front"}) == ["targeted"]
    assert names(found, "bar", **{"gateway.networking.k8s.io/gateway-name": "other"}) == []
    assert names(found, "bar", app="web") == []


@pytest.mark.row("CM-07")
@pytest.mark.parametrize(("switched", "found"), [(True, ["selecting"]), (False, [])])
def test_a_selector_holds_on_a_gateway_of_the_gateway_api_unless_that_is_off(switched: bool, found: list[str]) -> None:
    config = Config(features=Features(gateway_selectors=switched))
    made = build(config.with_objects([telemetry("bar", "selecting", **selecting(app="web"))]))
    assert names(made, "bar", app="web", **{"gateway.networking.k8s.io/gateway-name": "front"}) == found
    assert names(made, "bar", app="web") == ["selecting"]


@pytest.mark.row("TM-01")
def test_the_younger_of_two_for_a_namespace_has_no_effect_and_says_so() -> None:
    chosen = [telemetry("bar", f"chosen-{n}", 3 + n, **selecting(app="web")) for n in range(2)]
    found = snapshot(telemetry("bar", "younger", 2), telemetry("bar", "older", 1), *chosen)
    (finding,) = found.findings
    assert (finding.code, finding.name) == ("IST0160", "younger")
    assert "older is older" in finding.message


@pytest.mark.row("TM-12")
@pytest.mark.parametrize(
    ("spec", "field", "says"),
    [
        ({"tracing": [{"providers": [{"name": "typo"}]}]}, "tracing", "no extension provider 'typo'"),
        ({"accessLogging": [{"providers": [{"name": "typo"}]}]}, "accessLogging", "no extension provider 'typo'"),
        ({"metrics": [{"providers": [{"name": "typo"}]}]}, "metrics", "no extension provider 'typo'"),
        ({"accessLogging": [{"providers": [{"name": "Z"}]}]}, "accessLogging", "'Z' is no provider for accessLogging"),
        ({"tracing": [{"providers": [{"name": "envoy"}]}]}, "tracing", "'envoy' is no provider for tracing"),
        ({"tracing": [{"providers": [{"name": "broken"}]}]}, "tracing", "cannot be used"),
        ({"metrics": [{"providers": [{"name": "z"}]}]}, "metrics", "Prometheus alone"),
        ({"metrics": [{"providers": [{"name": "stackdriver"}]}]}, "metrics", "Prometheus alone"),
    ],
)
def test_names_that_lead_nowhere_are_told(spec: dict[str, Any], field: str, says: str) -> None:
    providers = [ZIPKIN, {"name": "broken", "zipkin": {"service": "gone.example", "port": 1}}]
    found = snapshot(telemetry("bar", "t", **spec), extensionProviders=providers)
    (finding,) = [finding for finding in found.findings if finding.kind == "Telemetry"]
    assert finding.code == "MZ0402"
    assert finding.field == f"spec.{field}[0].providers[0].name"
    assert says in finding.message


@pytest.mark.row("TM-12")
def test_names_that_lead_somewhere_are_not_told() -> None:
    spec = {
        "tracing": [{"providers": [{"name": "Z"}]}],
        "accessLogging": [{"providers": [{"name": "envoy"}]}],
        "metrics": [{"providers": [{"name": "prometheus"}]}, {"providers": [{"name": "mine"}]}],
    }
    found = snapshot(telemetry("bar", "t", **spec), extensionProviders=[ZIPKIN, {"name": "mine", "prometheus": {}}])
    assert found.findings == ()


def test_by_namespace() -> None:
    objects = [telemetry("bar", "b", 2), telemetry("bar", "a", 1), telemetry("foo", "c")]
    found = telemetries({(obj.namespace, obj.name): obj for obj in objects})
    assert {namespace: [obj.name for obj in group] for namespace, group in found.items()} == {
        "bar": ["a", "b"],
        "foo": ["c"],
    }


@pytest.mark.row("TM-06")
def test_prometheus_by_any_name() -> None:
    mesh, _ = decode_mesh({"extensionProviders": [{"name": "Mine", "prometheus": {}}, ZIPKIN]})
    assert [is_prometheus(mesh, name) for name in ("Prometheus", "mine", "z", "gone")] == [True, True, False, False]
