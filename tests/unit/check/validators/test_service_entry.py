"""ServiceEntries."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, warnings

HTTP = [{"number": 80, "name": "http", "protocol": "HTTP"}]
TCP = [{"number": 90, "name": "tcp", "protocol": "TCP"}]


@pytest.mark.parametrize(("spec", "wrong"), [
    ({"hosts": ["a.com"], "ports": HTTP, "resolution": "DNS"}, []),
    ({}, ["spec.hosts"]),
    ({"hosts": ["*"]}, ["spec.hosts[0]"]),
    ({"hosts": ["a.com"], "exportTo": ["~"]}, []),
    ({"hosts": ["a.com", "b.com"], "ports": TCP, "resolution": "DNS"}, ["spec.ports[0]"]),
    ({"hosts": ["a.com"], "ports": HTTP * 2}, ["spec.ports", "spec.ports"]),
    ({"hosts": ["a.com"], "ports": [{"number": 0, "name": "A", "protocol": "X", "targetPort": 70000}]},
     ["spec.ports[0].number", "spec.ports[0].name", "spec.ports[0].protocol", "spec.ports[0].targetPort"]),
    ({"hosts": ["a.com"], "addresses": ["10.0.0.0/8"], "resolution": "DNS"}, ["spec.addresses[0]"]),
    ({"hosts": ["a.com"], "addresses": ["10.0.0.1/32"], "resolution": "DNS"}, []),
    ({"hosts": ["a.com"], "endpoints": [{"address": "1.2.3.4"}]}, ["spec.endpoints"]),
    ({"hosts": ["a.com"], "resolution": "STATIC", "endpoints": [{"address": "x.com"}]}, ["spec.endpoints[0].address"]),
    ({"hosts": ["a.com"], "resolution": "STATIC", "ports": HTTP, "endpoints": [{"address": "1.2.3.4", "ports": {"other": 1}}]}, ["spec.endpoints[0].ports.other"]),
    ({"hosts": ["a.com"], "resolution": "STATIC", "ports": HTTP, "endpoints": [{"address": "unix:///x"}]}, []),
    ({"hosts": ["a.com"], "resolution": "DNS", "endpoints": [{"address": "unix:///x"}]}, ["spec.endpoints[0].address"] * 2),
    ({"hosts": ["*.a.com"], "ports": HTTP, "resolution": "DNS"}, ["spec.resolution"]),
    ({"hosts": ["a.com"], "resolution": "DNS_ROUND_ROBIN", "endpoints": [{"address": "x.com"}, {"address": "y.com"}]}, ["spec.endpoints"]),
    ({"hosts": ["a.com"], "resolution": "STATIC", "endpoints": [{"address": "1.1.1.1"}], "workloadSelector": {}}, ["spec.workloadSelector"]),
    ({"hosts": ["*.a.com"], "ports": HTTP, "resolution": "DYNAMIC_DNS"}, []),
    ({"hosts": ["a.com"], "ports": TCP, "resolution": "DYNAMIC_DNS"}, ["spec.hosts", "spec.ports[0].protocol"]),
])  # fmt: skip
def test_specs(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("ServiceEntry", spec) == wrong


def test_advice() -> None:
    assert warnings("ServiceEntry", {"hosts": ["a.com"], "ports": TCP}) == ["spec.addresses"]
    several = {"hosts": ["a.com", "b.com"], "ports": HTTP, "addresses": ["1.2.3.4"], "resolution": "DNS"}
    assert warnings("ServiceEntry", several) == ["spec.addresses"]
    chosen = {"hosts": ["a.com"], "ports": HTTP, "workloadSelector": {"labels": {"a": "b"}}}
    assert warnings("ServiceEntry", chosen) == ["spec.workloadSelector"]
