from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.schema import KINDS, of_kind, of_others
from tests.unit.analyze.estates import Json, found, messages, obj

TO = [{"destination": {"host": "a"}}]


def service(**route: Any) -> Json:
    return obj("VirtualService", "v", {"hosts": ["a"], "http": [{"route": TO, **route}]})


def codes(*documents: Json, kind: str = "VirtualService") -> list[str]:
    return [code for code, _ in found(of_kind(kind), *documents)]


@pytest.mark.row("IM-06")
def test_every_rule_that_is_broken() -> None:
    assert codes(service()) == []
    assert codes(service(timeout="-1s", retries={"attempts": -1})) == ["IST0106", "IST0106"]
    assert codes(service(unknown=1)) == ["IST0106"]
    assert messages(of_kind("VirtualService"), service(unknown=1))[0].startswith("spec.http[0].unknown: ")
    assert codes(service(timeout="-1s"), kind="Gateway") == []


@pytest.mark.row("IM-06")
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"MeshConfig", "MeshNetworks"}))
def test_each_kind(kind: str) -> None:
    assert codes(obj(kind, "x", {"noSuchField": 1}), kind=kind)[:1] == ["IST0106"]


@pytest.mark.row("IM-06")
def test_objects_of_other_kinds() -> None:
    bad = obj("Deployment", "d", {"replicas": "many"})
    assert found(of_others, bad, service(unknown=1)) == [("IST0106", "Deployment default/d")]
    pod = {"containers": [{"name": "a", "image": "a"}]}
    template = {"metadata": {"labels": {"app": "d"}}, "spec": pod}
    good = {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    assert found(of_others, obj("Deployment", "d", good)) == []
    affine = obj("Service", "s", {"ports": [{"port": 80, "name": "http"}], "sessionAffinity": "ClientIP"})
    assert found(of_others, affine) == []


@pytest.mark.row("IM-06")
def test_mesh_config() -> None:
    config = obj("ConfigMap", "istio", namespace="istio-system", data={"mesh": "connectTimeout: soon\n"})
    assert found(of_kind("MeshConfig"), config) == [("IST0106", "MeshConfig istio-system/meshconfig")]
    config["data"] = {"mesh": "connectTimeout: 1s\n"}
    assert found(of_kind("MeshConfig"), config) == []


@pytest.mark.row("IM-20")
def test_warnings() -> None:
    assert codes(service(mirror={"host": "b"}, mirrorPercent=5)) == ["IST0133"]
    assert codes(service(mirror={"host": "b"}, mirrorPercentage={"value": 5})) == []


@pytest.mark.row("IM-18")
def test_rules_that_are_never_used_keep_their_codes() -> None:
    twice = obj("VirtualService", "v", {"hosts": ["a"], "http": [{"route": TO}, {"route": TO}]})
    assert codes(twice) == ["IST0130"]


@pytest.mark.row("IM-02")
def test_what_another_analyzer_tells_is_not_told_twice() -> None:
    assert codes(service(fault={"delay": {"percent": 5, "fixedDelay": "1s"}})) == []
    ports = [{"number": 80, "name": "p", "protocol": "TCP"}]
    entry = obj("ServiceEntry", "e", {"hosts": ["x.org"], "ports": ports, "resolution": "NONE"})
    assert codes(entry, kind="ServiceEntry") == []
    assert codes(service(fault={"abort": {"percent": 5, "httpStatus": 500}})) == ["IST0106"]
