"""WorkloadEntry and WorkloadGroup."""

from typing import Any

import pytest

from tests.unit.check.judging import errors


@pytest.mark.parametrize(("spec", "wrong"), [
    ({"address": "1.2.3.4", "ports": {"http": 80}, "locality": "a/b/c", "weight": 1}, []),
    ({}, ["spec.address"]),
    ({"network": "n"}, []),
    ({"address": "unix:///x", "ports": {"http": 80}}, ["spec.ports"]),
    ({"address": "unix://x"}, ["spec.address"]),
    ({"address": "unix:///" + "x" * 107}, ["spec.address"]),
    ({"address": "a b"}, ["spec.address"]),
    ({"address": "a", "ports": {"A": 0}, "weight": -1, "locality": "a/b/c/d"}, ["spec.ports", "spec.ports.A", "spec.weight", "spec.locality"]),
])  # fmt: skip
def test_entries(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("WorkloadEntry", spec) == wrong


@pytest.mark.parametrize(("spec", "wrong"), [
    ({"template": {}}, []),
    ({}, ["spec.template"]),
    ({"template": {}, "metadata": {"labels": {"a b": "x"}}}, ["spec.metadata.labels"]),
    ({"template": {}, "probe": {}}, ["spec.probe"]),
    ({"template": {}, "probe": {"httpGet": {"port": 0, "scheme": "x", "httpHeaders": [{}]}, "periodSeconds": -1}},
     ["spec.probe", "spec.probe.httpGet.port", "spec.probe.httpGet.scheme", "spec.probe.httpGet.httpHeaders[0].name"]),
    ({"template": {}, "probe": {"tcpSocket": {}}}, ["spec.probe.tcpSocket.port"]),
    ({"template": {}, "probe": {"grpc": {}}}, ["spec.probe.grpc.port"]),
    ({"template": {}, "probe": {"exec": {}}}, ["spec.probe.exec.command"]),
])  # fmt: skip
def test_groups(spec: dict[str, Any], wrong: list[str]) -> None:
    assert errors("WorkloadGroup", spec) == wrong
