from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.routing import destination_hosts, destination_subsets
from tests.unit.analyze.estates import Json, fields, found, messages, obj, service


def http(**routes: Any) -> Json:
    return obj("VirtualService", "v", {"hosts": ["a"], "http": [routes]})


def to(host: str, port: int = 0, subset: str = "") -> Json:
    target: Json = {"host": host}
    if port:
        target["port"] = {"number": port}
    if subset:
        target["subset"] = subset
    return {"destination": target}


ONE = service("a", {"port": 80, "name": "http"})
TWO = service("b", {"port": 80, "name": "http"}, {"port": 81, "name": "tcp"})
HOST = "spec.http[0].route[0].destination.host"


@pytest.mark.row("IM-03")
def test_a_host_that_is_not_there() -> None:
    assert fields(destination_hosts, http(route=[to("a"), to("ghost")]), ONE) == [
        ("IST0101", "spec.http[0].route[1].destination.host")
    ]
    assert fields(destination_hosts, http(route=[to("a.default.svc.cluster.local")]), ONE) == []
    assert fields(destination_hosts, http(route=[to("a.default")]), ONE) == [("IST0101", HOST)]
    away = service("a", {"port": 80}, namespace="other")
    assert fields(destination_hosts, http(route=[to("a")]), away) == [("IST0101", HOST)]
    entry = obj("ServiceEntry", "e", {"hosts": ["*.x.org"], "ports": [{"number": 80, "name": "p", "protocol": "HTTP"}]})
    assert fields(destination_hosts, http(route=[to("api.x.org")]), entry) == []


@pytest.mark.row("IM-03")
def test_every_place_of_a_destination() -> None:
    spec = {
        "hosts": ["a"],
        "http": [{"route": [to("a")], "mirror": {"host": "g1"}, "mirrors": [to("g2")]}],
        "tls": [{"match": [{"sniHosts": ["a"]}], "route": [to("g3")]}],
        "tcp": [{"route": [to("g4")]}],
    }
    found_ = fields(destination_hosts, obj("VirtualService", "v", spec), ONE)
    assert sorted(field for _, field in found_) == [
        "spec.http[0].mirror.host",
        "spec.http[0].mirrors[0].destination.host",
        "spec.tcp[0].route[0].destination.host",
        "spec.tls[0].route[0].destination.host",
    ]
    texts = messages(destination_hosts, obj("VirtualService", "v", spec), ONE)
    assert 'no such mirror host: "g1"' in texts
    assert 'no such host: "g4"' in texts


@pytest.mark.row("IM-03")
def test_a_host_that_is_not_visible() -> None:
    ports = [{"number": 80, "name": "p", "protocol": "HTTP"}]
    entry = obj("ServiceEntry", "e", {"hosts": ["x.org"], "ports": ports, "exportTo": ["."]}, "other")
    assert fields(destination_hosts, http(route=[to("x.org")]), entry) == [("IST0101", HOST)]
    for_us = obj("ServiceEntry", "e", {"hosts": ["x.org"], "ports": ports, "exportTo": ["default"]}, "other")
    assert fields(destination_hosts, http(route=[to("x.org")]), for_us) == []
    hidden = obj("Service", "a", {"ports": [{"port": 80}]}, annotations={"networking.istio.io/exportTo": "other"})
    assert fields(destination_hosts, http(route=[to("a")]), hidden) == [("IST0101", HOST)]
    spec = {"hosts": ["a"], "exportTo": ["other"], "http": [{"route": [to("x.org")]}]}
    assert fields(destination_hosts, obj("VirtualService", "v", spec), entry) == []


@pytest.mark.row("IM-03")
def test_a_port_that_is_not_there() -> None:
    assert messages(destination_hosts, http(route=[to("a", 90)]), ONE) == ['no such host:port: "a:90"']
    assert fields(destination_hosts, http(route=[to("a", 80)]), ONE) == []


@pytest.mark.row("IM-10")
def test_a_port_must_be_said_where_there_are_several() -> None:
    assert fields(destination_hosts, http(route=[to("b")]), TWO) == [("IST0112", HOST)]
    assert "80, 81" in messages(destination_hosts, http(route=[to("b")]), TWO)[0]
    zero = {"destination": {"host": "b", "port": {}}}
    assert fields(destination_hosts, http(route=[zero]), TWO) == [("IST0112", HOST)]
    assert fields(destination_hosts, http(route=[{}]), TWO) == [("IST0101", HOST)]
    assert fields(destination_hosts, http(route=[to("b", 81), to("a")]), ONE, TWO) == []
    assert fields(destination_hosts, http(route=[to("a")], mirror={"host": "b"}), ONE, TWO) == [
        ("IST0112", "spec.http[0].mirror.host")
    ]


@pytest.mark.row("IM-03")
def test_a_subset_that_no_rule_defines() -> None:
    rule = obj("DestinationRule", "r", {"host": "a", "subsets": [{"name": "v1"}]})
    subset = "spec.http[0].route[0].destination.subset"
    assert fields(destination_subsets, http(route=[to("a", subset="v1")]), rule) == []
    for host, there in (("a.default.svc.cluster.local", True), ("a.other.svc.cluster.local", False), ("a.org", False)):
        told = fields(destination_subsets, http(route=[to(host, subset="v1")]), rule)
        assert told == ([] if there else [("IST0101", subset)])
    assert fields(destination_subsets, http(route=[to("a", subset="v2")]), rule) == [("IST0101", subset)]
    full = obj("DestinationRule", "r", {"host": "a.default.svc.cluster.local", "subsets": [{"name": "v1"}]}, "far")
    assert fields(destination_subsets, http(route=[to("a.default.svc.cluster.local", subset="v1")]), full) == []
    mirrored = http(route=[to("a")], mirror={"host": "a", "subset": "v2"})
    assert messages(destination_subsets, mirrored, rule) == ['no such mirror+subset in destinationrule: "a+v2"']


@pytest.mark.row("IM-26")
def test_a_subset_that_a_gateway_does_not_use() -> None:
    mesh = obj("VirtualService", "mesh", {"hosts": ["a"], "http": [{"route": [to("a", subset="v1")]}]})
    assert found(destination_hosts, mesh, ONE) == []
    edge = {"hosts": ["x.org"], "gateways": ["gw"], "http": [{"route": [to("a")]}]}
    told = ("IST0140", "VirtualService default/edge")
    assert told in found(destination_hosts, mesh, obj("VirtualService", "edge", edge))
    assert told not in found(destination_hosts, mesh, obj("VirtualService", "edge", {**edge, "gateways": []}))
    plain = obj("VirtualService", "mesh", {"hosts": ["a"], "http": [{"route": [to("a")]}]})
    assert told not in found(destination_hosts, plain, obj("VirtualService", "edge", edge))
    elsewhere = obj("VirtualService", "mesh", {"hosts": ["b"], "http": [{"route": [to("a", subset="v1")]}]})
    assert told not in found(destination_hosts, elsewhere, obj("VirtualService", "edge", edge))
    named = {**edge, "http": [{"route": [to("a", subset="v1")]}]}
    assert told not in found(destination_hosts, mesh, obj("VirtualService", "edge", named))
    full = {**edge, "http": [{"route": [to("a.default.svc.cluster.local")]}]}
    assert told not in found(destination_hosts, mesh, obj("VirtualService", "edge", full))
