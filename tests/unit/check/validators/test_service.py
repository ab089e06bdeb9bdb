"""ExternalName services whose ports do not say what they carry."""

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.check import validate


def found(ports: list[dict[str, Any]], type: str = "ExternalName", **labels: str) -> list[tuple[str, str, str]]:
    document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x", "namespace": "shop", "labels": labels},
        "spec": {"type": type, "externalName": "a.b", "ports": ports},
    }
    obj = decode(document).object
    assert obj is not None
    return [(f.code, f.level.value, f.field) for f in validate(obj)]


@pytest.mark.row("OL-11")
@pytest.mark.parametrize(
    ("port", "warned"),
    [
        ({"name": "tcp", "port": 80}, True),
        ({"port": 80}, True),
        ({"name": "foo", "port": 80}, True),
        ({"name": "tcp-db", "port": 80}, False),
        ({"name": "HTTP", "port": 80}, False),
        ({"name": "grpc-web-x", "port": 80}, False),
        ({"name": "foo", "port": 80, "appProtocol": "kubernetes.io/ws"}, False),
        ({"name": "http", "port": 80, "appProtocol": "foo"}, True),
        ({"name": "foo", "port": 80, "protocol": "UDP"}, False),
        ({"port": 3306}, False),
    ],
)
def test_ports(port: dict[str, Any], warned: bool) -> None:
    wanted = [("IST0150", "Warning", "spec.ports[1].name")] if warned else []
    # Kubernetes wants names where there are several; here only what is warned of counts.
    every = found([{"name": "https", "port": 443}, port])
    assert [finding for finding in every if finding[1] == "Warning"] == wanted


def test_other_services_and_those_of_the_mesh_itself_are_passed_over() -> None:
    assert found([{"port": 80}], type="ClusterIP") == []
    assert found([{"port": 80}], release="istio") == []
    assert found([{"port": 80}], istio="ingressgateway") == []


@pytest.mark.parametrize(
    ("ports", "wrong"),
    [
        ([{"port": 80}], []),
        ([{"name": "a", "port": 53}, {"name": "b", "port": 53, "protocol": "UDP"}], []),
        ([{"name": "a", "port": -5}], ["spec.ports[0].port"]),
        ([{"name": "a", "port": 65536, "targetPort": 70000}], ["spec.ports[0].port", "spec.ports[0].targetPort"]),
        ([{"name": "a", "port": 80}, {"port": 81}], ["spec.ports[1].name"]),
        ([{"name": "a", "port": 80}, {"name": "a", "port": 81}], ["spec.ports"]),
        ([{"name": "a", "port": 80}, {"name": "b", "port": 80}], ["spec.ports"]),
        ([{"name": "a"}], ["spec.ports[0].port"]),
    ],
)
def test_ports_as_kubernetes_demands_them(ports: list[dict[str, Any]], wrong: list[str]) -> None:
    assert [field for _, level, field in found(ports, "ClusterIP") if level == "Error"] == wrong
