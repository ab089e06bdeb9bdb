from __future__ import annotations

from mizzen.analyze.estate import Estate, Subject
from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Origin


def test_virtual_objects_are_only_selected() -> None:
    real, coming = Subject("Pod", "a", "p", {}), Subject("Pod", "a", "q", {}, virtual=True)
    estate = Estate([real, coming])
    assert estate.of("Pod") == [real]
    assert estate.pods == estate.pods_by_namespace["a"] == [real, coming]
    assert estate.kinds == {"Pod"}


def test_pods_with_labels() -> None:
    def labelled(namespace: str, name: str, value: str) -> Subject:
        return Subject("Pod", namespace, name, {"metadata": {"labels": {"app": value}}})

    one, two, far = labelled("a", "p", "x"), labelled("a", "q", "y"), labelled("b", "p", "x")
    estate = Estate([one, two, far])
    assert estate.pods_with({"app": "x"}) == [one, far]
    assert estate.pods_with({"app": "x"}, "a") == [one]
    assert estate.pods_with({}, "a") == [one, two]
    assert estate.pods_with({"app": "x"}, "ghost") == []


def test_the_mesh_config_in_force() -> None:
    assert Estate([]).mesh.root_namespace == "istio-system"
    assert Estate([], MeshConfig(root_namespace="root")).mesh.root_namespace == "root"


def test_finding_objects() -> None:
    good, bad = Subject("Pod", "a", "p", {}, body=object()), Subject("Pod", "", "q", {})
    space = Subject("Namespace", "", "a", {"metadata": {"labels": {"x": "y", "n": 1}}})
    estate = Estate([good, bad, space])
    assert estate.decoded("Pod") == [good]
    assert estate.find("Pod", "a", "p") is good
    assert estate.find("Pod", "a", "q") is None
    assert estate.namespaces["a"].labels == {"x": "y", "n": "1"}
    assert (good.full_name, bad.full_name) == ("a/p", "q")


def test_findings_know_where_the_object_is() -> None:
    finding = Subject("Pod", "a", "p", {}, origin=Origin("f.yaml", 7)).finding("IST0144", "spec")
    assert (finding.file, finding.line, finding.field, finding.level) == ("f.yaml", 7, "spec", "Warning")
