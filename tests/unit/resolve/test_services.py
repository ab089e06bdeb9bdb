"""Kubernetes Services and ServiceEntries as services of the mesh."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.service import Resolution, Service
from mizzen.resolve import build
from tests.meshes import NETWORKING, new, service

PORTS = [{"name": "http", "port": 80}]


def _made(*objects: Object) -> dict[str, Service]:
    return {found.hostname: found for found in build(Config().with_objects(objects)).services}


def _entry(name: str, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    ports = [{"number": 80, "name": "http", "protocol": "HTTP"}]
    body = {"hosts": ["x.example"], "ports": ports, **spec}
    return new(NETWORKING, "ServiceEntry", "a", name, body, meta={"annotations": annotations or {}})


def test_what_kind_of_service_it_is() -> None:
    made = _made(
        service("plain", "a", 1, PORTS),
        service("headless", "a", 2, PORTS, clusterIP="None"),
        service("alias", "a", 3, PORTS, type="ExternalName", externalName="x.example."),
        _entry("e", resolution="DNS"),
    )
    kinds = {name.partition(".")[0]: found.resolution for name, found in made.items()}
    assert kinds == {
        "plain": Resolution.CLIENT_SIDE,
        "headless": Resolution.PASSTHROUGH,
        "alias": Resolution.ALIAS,
        "x": Resolution.DNS,
    }
    assert made["alias.a.svc.cluster.local"].external_name == "x.example"
    assert made["headless.a.svc.cluster.local"].headless


@pytest.mark.row("LO-02")
def test_a_service_s_own_distribution() -> None:
    note = {"networking.istio.io/traffic-distribution": "PreferSameNode"}
    assert _made(_entry("e", note))["x.example"].traffic_distribution == "PreferSameNode"
    assert _made(_entry("e"))["x.example"].traffic_distribution == ""
    field = service("near", "a", 1, PORTS, trafficDistribution="PreferClose")
    assert _made(field)["near.a.svc.cluster.local"].traffic_distribution == "PreferClose"


@pytest.mark.row("OL-15")
def test_the_field_goes_before_the_annotation_and_that_before_the_namespaces() -> None:
    def noted(value: str) -> dict[str, Any]:
        return {"annotations": {"networking.istio.io/traffic-distribution": value}}

    def close(name: str, **spec: Any) -> Object:
        return new("v1", "Service", "a", name, {"ports": PORTS, **spec}, meta=noted("PreferSameNode"))

    space = decode(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", **noted("PreferSameZone")}}
    ).object
    assert space is not None
    field, noted_one = close("one", trafficDistribution="PreferClose"), close("two")
    made = _made(space, field, noted_one, service("three", "a", 3, PORTS), _entry("e"))
    found = {name.partition(".")[0]: one.traffic_distribution for name, one in made.items()}
    assert found == {"one": "PreferClose", "two": "PreferSameNode", "three": "PreferSameZone", "x": "PreferSameZone"}


@pytest.mark.row("SE-16")
def test_entries_of_one_host_are_united_where_they_are_alike() -> None:
    more = [{"number": 81, "name": "more", "protocol": "HTTP"}]
    both = _made(_entry("e1"), _entry("e2", ports=more))["x.example"]
    assert [port.number for port in both.ports] == [80, 81]
    apart = _made(_entry("e1"), _entry("e2", ports=more, location="MESH_INTERNAL"))["x.example"]
    assert [port.number for port in apart.ports] == [80]
