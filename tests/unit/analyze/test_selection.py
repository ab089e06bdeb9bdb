from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.estate import Subject
from mizzen.analyze.selection import (
    ambient,
    deployment_in_mesh,
    expression,
    generated_or_istios,
    pod_in_mesh,
    rivals,
    selects,
)
from tests.unit.analyze.estates import Json, estate, injected, obj

INJECT = "sidecar.istio.io/inject"


def test_selectors() -> None:
    assert selects({}, {"a": "1"})
    assert selects({"a": "1"}, {"a": "1", "b": "2"})
    assert not selects({"a": "1"}, {"a": "2"})
    assert expression({"b": "2", "a": "1"}) == "a=1,b=2"


def test_rivals_are_told_with_the_names_of_all() -> None:
    b, a, alone = (Subject("Sidecar", "n", name, {}) for name in ("b", "a", "alone"))
    assert list(rivals({"x": [b, a], "y": [alone], "z": []})) == [("x", b, "a, b"), ("x", a, "a, b")]


def test_istios_own_objects() -> None:
    managed = {"gateway.istio.io/managed": "istio.io-a"}
    for labels, own in (
        ({"istio": ""}, True),
        ({"release": "istio"}, True),
        (managed, True),
        ({"release": "x"}, False),
        ({}, False),
    ):
        assert generated_or_istios(labels, ["a", "b"]) is own
    assert not generated_or_istios(managed, ["b"])
    assert ambient({"istio.io/dataplane-mode": "ambient"})
    assert not ambient({"istio.io/dataplane-mode": "none"})


PROXY = [{"name": "istio-proxy", "image": "x"}]


@pytest.mark.parametrize(("more", "spec", "inside"), [
    ({}, {"containers": PROXY}, True),
    ({}, {"containers": [{"name": "istio-proxy"}]}, False),
    ({}, {"containers": [{"name": "app", "image": "x"}]}, False),
    ({"labels": {INJECT: "true"}}, {}, True),
    ({"labels": {INJECT: "yes"}}, {}, False),
    ({"annotations": {INJECT: "true"}}, {}, True),
    ({"labels": {INJECT: "false"}, "annotations": {INJECT: "true"}}, {}, False),
    ({}, {}, False),
])  # fmt: skip
def test_who_is_in_the_mesh(more: dict[str, Any], spec: Json, inside: bool) -> None:
    found = estate(obj("Pod", "p", spec, **more))
    assert pod_in_mesh(found, found.pods[0]) is inside
    template = {"metadata": more, "spec": spec}
    found = estate(obj("Deployment", "d", {"template": template}))
    assert deployment_in_mesh(found, found.of("Deployment")[0]) is inside


def test_the_namespace_decides_last() -> None:
    found = estate(injected("default"), obj("Pod", "p", {}), obj("Pod", "q", {}, labels={INJECT: "false"}))
    assert [pod_in_mesh(found, pod) for pod in found.pods] == [True, False]
    other = estate(obj("Namespace", "default", labels={"istio.io/rev": "x"}), obj("Pod", "p", {}))
    assert not pod_in_mesh(other, other.pods[0])


def test_init_containers_count_for_pods_only() -> None:
    spec = {"initContainers": PROXY}
    found = estate(obj("Pod", "p", spec), obj("Deployment", "d", {"template": {"spec": spec}}))
    assert pod_in_mesh(found, found.pods[0])
    assert not deployment_in_mesh(found, found.of("Deployment")[0])
