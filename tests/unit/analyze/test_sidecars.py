from __future__ import annotations

import pytest

from mizzen.analyze.sidecars import sidecar_selectors
from tests.unit.analyze.estates import Json, fields, found, messages, obj, pod


def sidecar(name: str, namespace: str = "default", **labels: str) -> Json:
    spec = {"workloadSelector": {"labels": labels}} if labels else {}
    return obj("Sidecar", name, {**spec, "egress": [{"hosts": ["./*"]}]}, namespace)


@pytest.mark.row("IM-03")
def test_a_selector_that_finds_no_pod() -> None:
    assert found(sidecar_selectors, sidecar("s", app="a")) == [("IST0101", "Sidecar default/s")]
    assert found(sidecar_selectors, sidecar("s", app="a"), pod("p", "other", app="a")) == [
        ("IST0101", "Sidecar default/s")
    ]
    assert found(sidecar_selectors, sidecar("s", app="a"), pod("p", app="a")) == []


@pytest.mark.row("IM-09", "SC-10")
def test_two_sidecars_for_one_pod() -> None:
    both = [sidecar("s", app="a"), sidecar("t", version="v1")]
    told = [("IST0110", "Sidecar default/s"), ("IST0110", "Sidecar default/t")]
    assert found(sidecar_selectors, *both, pod("p", app="a", version="v1")) == told
    assert found(sidecar_selectors, *both, pod("p", app="a"), pod("q", version="v1")) == []
    pods = [pod(name, app="a", version="v1") for name in ("p", "q")]
    assert found(sidecar_selectors, *both, *pods) == [*told, *told]
    assert fields(sidecar_selectors, *both, pod("p", app="a", version="v1"))[0] == ("IST0110", "metadata.name")
    assert "s, t of namespace default select the same pod p" in messages(
        sidecar_selectors, *both, pod("p", app="a", version="v1")
    )[0]  # fmt: skip


@pytest.mark.row("IM-09", "SC-10")
def test_two_sidecars_without_selector() -> None:
    told = [("IST0111", "Sidecar default/s"), ("IST0111", "Sidecar default/t")]
    assert found(sidecar_selectors, sidecar("s"), sidecar("t")) == told
    assert found(sidecar_selectors, sidecar("s"), sidecar("t", "other"), sidecar("u", app="a"), pod("p", app="a")) == []


@pytest.mark.row("IM-43")
def test_ambient_pods_have_no_sidecar() -> None:
    home = obj("Namespace", "default", labels={"istio.io/dataplane-mode": "ambient"})
    assert found(sidecar_selectors, home, sidecar("s"), sidecar("t")) == [
        ("IST0167", "Sidecar default/s"),
        ("IST0167", "Sidecar default/t"),
    ]
    both = obj("Namespace", "default", labels={"istio.io/dataplane-mode": "ambient", "istio-injection": "enabled"})
    assert found(sidecar_selectors, both, sidecar("s")) == []
    revised = obj("Namespace", "default", labels={"istio.io/dataplane-mode": "ambient", "istio.io/rev": "x"})
    assert found(sidecar_selectors, revised, sidecar("s")) == []
    assert found(sidecar_selectors, obj("Namespace", "default"), sidecar("s")) == []
    ambient = obj("Pod", "p", {}, labels={"app": "a"}, annotations={"ambient.istio.io/redirection": "enabled"})
    assert found(sidecar_selectors, sidecar("s", app="a"), sidecar("t", app="a"), ambient) == [
        ("IST0167", "Sidecar default/s"),
        ("IST0167", "Sidecar default/t"),
    ]
