from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze.port_names import port_names
from tests.unit.analyze.estates import fields, messages, obj, service


@pytest.mark.row("PR-12", "IM-12")
@pytest.mark.parametrize("port", [
    {"name": "foo"}, {}, {"name": "foo-http"}, {"name": "http", "appProtocol": "foo"}, {"name": "httpx"},
])  # fmt: skip
def test_a_port_that_does_not_say_what_it_carries(port: dict[str, Any]) -> None:
    good = {"name": "http-a", "port": 80}
    assert fields(port_names, service("a", good, {"port": 8080, **port})) == [("IST0118", "spec.ports[1].port")]


CONVENTION = [
    "tcp",
    "udp",
    "grpc",
    "grpc-web",
    "http",
    "http2",
    "http_proxy",
    "https",
    "tls",
    "mongo",
    "redis",
    "mysql",
]


@pytest.mark.row("PR-12", "IM-12")
@pytest.mark.parametrize("port", [
    {"name": "http"}, {"name": "HTTP2-x"}, {"name": "grpc-web-a"}, {"name": "tcp"}, {"name": "mysql-x"},
    {"name": "foo", "protocol": "UDP"}, {"name": "foo", "appProtocol": "kubernetes.io/ws"},
    {"name": "foo", "appProtocol": "https"}, {"name": "foo", "port": 3306}, {"port": 53},
    {"port": 25}, {"name": "x", "port": 27017}, {"name": "foo", "appProtocol": "kubernetes.io/h2c"},
    {"name": "foo", "appProtocol": "kubernetes.io/wss"}, *({"name": f"{name}-x"} for name in CONVENTION),
])  # fmt: skip
def test_a_port_that_does(port: dict[str, Any]) -> None:
    assert fields(port_names, service("a", {"port": 8080, **port})) == []


@pytest.mark.row("IM-12")
def test_istios_own_services_are_left_out() -> None:
    spec = {"ports": [{"port": 1, "name": "foo"}]}
    managed = [f"istio.io-{name}-controller" for name in ("gateway", "mesh", "eastwest")]
    own = [{"istio": "x"}, {"release": "istio"}, *({"gateway.istio.io/managed": name} for name in managed)]
    for labels in own:
        assert fields(port_names, obj("Service", "a", spec, labels=labels)) == []
    others = {"gateway.istio.io/managed": "someone-else"}
    assert fields(port_names, obj("Service", "a", spec, labels=others)) == [("IST0118", "spec.ports[0].port")]


@pytest.mark.row("IM-12")
def test_the_text_names_port_and_target() -> None:
    text = messages(port_names, service("a", {"port": 80, "name": "foo", "targetPort": "web"}, {"port": 81}))
    assert '"foo" (80, targetPort web)' in text[0]
    assert '"" (81, targetPort 0)' in text[1]


@pytest.mark.row("IM-34")
def test_ports_of_an_external_name() -> None:
    def codes(**port: Any) -> list[tuple[str, str]]:
        return fields(port_names, service("a", {"port": 80, **port}, type="ExternalName", externalName="x.org"))

    assert codes(name="foo") == codes(name="tcp") == [("IST0150", "spec.ports[0].port")]
    assert codes(name="tcp-x") == codes(name="http") == []
