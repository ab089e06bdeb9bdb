"""Deployment, StatefulSet, DaemonSet, Job and Pod."""

from typing import Any

import pytest

from mizzen.api.decode import decode
from tests.unit.check.judging import errors, warnings

POD = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a"}]}}
SELECTOR = {"matchLabels": {"app": "a"}}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
@pytest.mark.parametrize(("spec", "wrong"), [
    ({"selector": SELECTOR, "template": POD}, []),
    ({"template": POD}, ["spec.selector"]),
    ({"selector": SELECTOR}, ["spec.template"]),
    ({"selector": {"matchLabels": {"app": "b"}}, "template": POD}, ["spec.template.metadata.labels"]),
    ({"selector": SELECTOR, "template": POD, "replicas": -1}, ["spec.replicas"]),
    ({"selector": {}, "template": {"spec": {"containers": []}}}, ["spec.template.spec.containers"]),
])  # fmt: skip
def test_controllers(kind: str, spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors(kind, spec) == wrong


def test_a_job_needs_no_selector() -> None:
    assert errors("Job", {"template": POD}) == []
    assert errors("Job", {}) == ["spec.template"]
    assert errors("Job", {"template": POD, "parallelism": -1}) == ["spec.parallelism"]


@pytest.mark.parametrize(("containers", "wrong"), [
    ([{"name": "a"}, {"name": "b"}], []),
    ([], ["spec.containers"]),
    ([{"image": "a"}], ["spec.containers[0].name"]),
    ([{"name": "a"}, {"name": "a"}], ["spec.containers[1].name"]),
])  # fmt: skip
def test_pods(containers: list[dict[str, str]], wrong: list[str]) -> None:
    assert errors("Pod", {"containers": containers}) == wrong


def test_a_wrong_type_is_refused_with_its_field() -> None:
    raw = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"replicas": "many", "selector": SELECTOR, "template": POD},
    }
    decoded = decode(raw)
    assert decoded.object is None
    assert [problem.path for problem in decoded.problems] == ["spec.replicas"]


@pytest.mark.row("ME-14")
def test_series_are_not_evicted_and_the_user_is_told() -> None:
    asked = {"sidecar.istio.io/statsEvictionInterval": "60s"}
    template = {**POD, "metadata": {"labels": {"app": "a"}, "annotations": asked}}
    path = 'metadata.annotations["sidecar.istio.io/statsEvictionInterval"]'
    assert warnings("Job", {"template": template}) == [f"spec.template.{path}"]
    assert warnings("Pod", {"containers": [{"name": "a"}]}, annotations=asked) == [path]
    assert warnings("Job", {"template": POD}) == []
