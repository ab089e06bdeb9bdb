"""Gateways of the Gateway API that other networks enter through."""

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build
from mizzen.resolve.network_listeners import entrances, passes_on

AUTO = {"gateway.istio.io/listener-protocol": "auto-passthrough"}


def gateway(*listeners: dict[str, Any], labels: dict[str, str] | None = None, name: str = "edge") -> Object:
    marks = {"topology.istio.io/network": "east"} if labels is None else labels
    addresses = [
        {"type": "IPAddress", "value": "1.2.3.4"},
        {"type": "Hostname", "value": "lb.example"},
        {"type": "other.example/thing", "value": "x"},
    ]
    raw = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name, "namespace": "istio-system", "labels": marks},
        "spec": {"gatewayClassName": "istio-remote", "addresses": addresses, "listeners": list(listeners)},
    }
    found = decode(raw).object
    assert found is not None, decode(raw).problems
    return found


def listener(port: int, mode: str = "Passthrough", **options: str) -> dict[str, Any]:
    return {"name": f"p{port}", "port": port, "protocol": "TLS", "tls": {"mode": mode, "options": options}}


def found(*gateways: Object) -> set[tuple[str, str, int]]:
    return {(g.network, g.address, g.port) for g in entrances({(o.namespace, o.name): o for o in gateways})}


@pytest.mark.row("GA-22")
def test_each_address_is_an_entrance_on_each_listener_that_passes_mesh_tls_on() -> None:
    listeners = (listener(15443), listener(443), listener(8443, **AUTO), listener(9443, "Terminate", **AUTO))
    assert found(gateway(*listeners)) == {
        ("east", address, port) for address in ("1.2.3.4", "lb.example") for port in (15443, 8443)
    }


@pytest.mark.row("GA-22", "PO-17")
def test_a_label_names_another_port_and_without_a_network_there_is_no_entrance() -> None:
    labels = {"topology.istio.io/network": "east", "networking.istio.io/gatewayPort": "443"}
    assert {port for _, _, port in found(gateway(listener(15443), listener(443), labels=labels))} == {443}
    assert found(gateway(listener(15443, **AUTO), labels={})) == set()


@pytest.mark.row("GA-22")
def test_such_a_listener_passes_on_by_sni() -> None:
    labelled, plain = gateway(listener(15443)), gateway(listener(15443), labels={})
    tls = labelled.body.listeners[0].tls
    assert passes_on(labelled, tls, 15443)
    assert not passes_on(labelled, tls, 443)
    assert not passes_on(plain, tls, 15443)


@pytest.mark.row("GA-22", "MN-02")
def test_names_of_such_a_gateway_are_looked_up() -> None:
    config = Config(addresses={"lb.example": ("5.6.7.8",)}).with_objects([gateway(listener(15443))])
    networks = build(config).networks
    assert {g.address for g in networks.gateways} == {"1.2.3.4", "5.6.7.8"}
    assert networks.names == ("lb.example",)
