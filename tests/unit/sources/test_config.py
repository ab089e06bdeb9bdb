"""Documents to Config: refused objects are left out, the rest is untouched."""

import random

import pytest

from mizzen.api.meta import Origin
from mizzen.model.config import Config
from mizzen.model.finding import Level
from mizzen.sources.config import Assembly, config_of, judge
from mizzen.sources.files import Document, parse

GOOD = """apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: good}
spec:
  host: reviews
"""
BAD = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bad}
spec:
  hosts: [a]
  http:
  - timeouts: 5s
"""
REFUSED = BAD.replace("timeouts: 5s", "timeout: 5s").replace("bad", "refused")


@pytest.mark.row("CM-17")
def test_a_broken_object_does_not_disturb_the_others() -> None:
    loaded = parse(GOOD + BAD + REFUSED, "f.yaml")
    config = config_of(loaded.documents, loaded.findings, revision=3)
    assert set(config.of("DestinationRule")) == {("default", "good")}
    assert config.of("VirtualService") == {}
    assert config.revision == 3
    found = {(f.name, f.field, f.line) for f in config.findings}
    assert found == {("bad", "spec.http[0].timeouts", 13), ("refused", "spec.http[0]", 21)}


def test_order_leaves_no_trace() -> None:
    documents = [d for n in range(5) for d in parse(GOOD.replace("good", f"r{n}"), "f").documents]
    shuffled = random.Random(7).sample(documents, 5)
    first, second = config_of(documents), config_of(shuffled)
    assert list(first.of("DestinationRule").items()) == list(second.of("DestinationRule").items())


def test_the_last_of_two_documents_counts_with_a_warning() -> None:
    loaded = parse(GOOD + "---\n" + GOOD.replace("reviews", "ratings"), "f")
    config = config_of(loaded.documents)
    assert config.of("DestinationRule")[("default", "good")].body.host == "ratings"
    assert [(f.code, f.level) for f in config.findings] == [("MZ0004", Level.WARNING)]


def test_what_has_no_name_is_no_other_object_without_one() -> None:
    nameless = GOOD.replace("{name: good}", "{}")
    config = config_of(parse(nameless + "---\n" + nameless.replace("reviews", "ratings"), "f").documents)
    assert [(f.level, f.field, f.line) for f in config.findings] == [
        (Level.ERROR, "metadata.name", 3),
        (Level.ERROR, "metadata.name", 9),
    ]


def test_kinds_without_effect_are_left_out_with_a_warning() -> None:
    (document,) = parse("{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: a}}").documents
    judged = judge(document)
    assert judged.object is None
    assert not judged.refused


def test_unchanged_kinds_are_shared() -> None:
    assembly = Assembly()
    for document in parse(GOOD + "---\n{apiVersion: v1, kind: Service, metadata: {name: s}}", "f").documents:
        assembly.put(judge(document))
    first = assembly.config(1)
    assembly.remove(("Service", "default", "s"))
    second = assembly.config(2)
    assert second.of("DestinationRule") is first.of("DestinationRule")
    assert second.of("Service") == {}
    assert assembly.config(3).objects is second.objects


@pytest.mark.parametrize(("text", "trust_domain", "fields"), [
    ("trust_domain: td", "td", []),
    ("trustDomain: td\n    nonsense: 1", "td", ["data.mesh.nonsense"]),
    ("trustDomain: [1]", "cluster.local", ["data.mesh.trustDomain"]),
    ("a: b: c", "cluster.local", ["data.mesh"]),
])  # fmt: skip
def test_mesh_config(text: str, trust_domain: str, fields: list[str]) -> None:
    raw = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata:\n  mesh: |\n    {text}\n"
    config = config_of(parse(raw, "f").documents)
    assert config.mesh.trust_domain == trust_domain
    assert [f.field for f in config.findings] == fields


def mesh_map(text: str, name: str = "istio", key: str = "mesh") -> Document:
    raw = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "istio-system"},
        "data": {key: text},
    }
    return Document(raw, Origin("mesh.yaml", 1))


@pytest.mark.row("MC-01")
def test_a_broken_mesh_config_leaves_the_good_one_in_force() -> None:
    assembly = Assembly()
    assembly.put(judge(mesh_map("outboundTrafficPolicy: {mode: REGISTRY_ONLY}")))
    good = assembly.config(1).mesh
    assert good.outbound_traffic_policy.mode == "REGISTRY_ONLY"
    for number, text in enumerate(("outboundTrafficPolicy: {mode: OPEN}", "a: [", "connectTimeout: 2h")):
        assembly.put(judge(mesh_map(text)))
        config = assembly.config(number + 2)
        assert config.mesh is good
        assert any(finding.level is Level.ERROR for finding in config.findings)
    assembly.put(judge(mesh_map("accessLogFile: /x")))
    assert assembly.config(9).mesh.outbound_traffic_policy.mode == "ALLOW_ANY"
    assembly.remove(("ConfigMap", "istio-system", "istio"))
    assert assembly.config(10).mesh == Config().mesh


def networks_map(text: str, name: str = "istio") -> Document:
    return mesh_map(text, name, "meshNetworks")


@pytest.mark.row("MC-30")
def test_broken_networks_leave_the_good_ones_in_force_and_the_first_map_that_has_some_counts() -> None:
    assembly = Assembly(mesh_maps=("shared", "istio"))
    maps = ("shared", "istio")
    assembly.put(judge(networks_map("networks: {east: {}}"), mesh_maps=maps))
    good = assembly.config(1).networks
    assert list(good.networks) == ["east"]
    assembly.put(judge(networks_map("networks: {east: {gateways: [{port: 1}]}}"), mesh_maps=maps))
    config = assembly.config(2)
    assert config.networks is good
    assert any(finding.level is Level.ERROR for finding in config.findings)
    assembly.put(judge(networks_map("networks: {west: {}}", "shared"), mesh_maps=maps))
    assert list(assembly.config(3).networks.networks) == ["west"]
    assembly.remove(("ConfigMap", "istio-system", "istio"))
    assembly.remove(("ConfigMap", "istio-system", "shared"))
    assert assembly.config(4).networks == Config().networks


@pytest.mark.row("MC-01")
def test_the_shared_map_lies_under_the_own_one_and_a_broken_one_of_the_two_is_skipped() -> None:
    names = ("shared", "istio")
    assembly = Assembly(mesh_maps=names)
    assembly.put(judge(mesh_map("{accessLogFile: /low, meshId: m}", "shared"), mesh_maps=names))
    assembly.put(judge(mesh_map("accessLogFile: /high"), mesh_maps=names))
    mesh = assembly.config(1).mesh
    assert (mesh.access_log_file, mesh.mesh_id) == ("/high", "m")
    assembly.put(judge(mesh_map("accessLogFile: [1]"), mesh_maps=names))
    assert assembly.config(2).mesh.access_log_file == "/low"
