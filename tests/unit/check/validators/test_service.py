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
    assert found([{"name": "https", "port": 443}, port]) == wanted


def test_other_services_and_those_of_the_mesh_itself_are_passed_over() -> None:
    assert found([{"port": 80}], type="ClusterIP") == []
    assert found([{"port": 80}], release="istio") == []
    assert found([{"port": 80}], istio="ingressgateway") == []
