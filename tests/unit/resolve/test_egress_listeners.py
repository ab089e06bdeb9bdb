from __future__ import annotations

from typing import Any

import pytest

from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Service
from mizzen.model.view import EgressListener
from mizzen.resolve.egress_listeners import listeners, united
from tests.meshes import NETWORKING, new

PORTS = (Port("http", 80, Protocol.HTTP), Port("tcp", 90, Protocol.TCP))
X = Service(hostname="x", name="x", namespace="a", ports=PORTS)
Y = Service(hostname="y", name="y", namespace="b", ports=PORTS)
HTTP = {"number": 80, "name": "http", "protocol": "HTTP"}


def found(*egress: dict[str, Any], uncaptured: bool = False) -> tuple[EgressListener, ...]:
    body = new(NETWORKING, "Sidecar", "a", "s", {"egress": list(egress)}).body
    return listeners(body, "a", [X, Y], (), None, uncaptured=uncaptured)


def seen(listener: EgressListener) -> list[str]:
    return [f"{s.hostname}:{','.join(str(p.number) for p in s.ports)}" for s in listener.services]


@pytest.mark.row("SC-04")
def test_without_a_port_anywhere_there_is_nothing_apart() -> None:
    assert found({"hosts": ["./*"]}) == ()
    assert listeners(None, "a", [X, Y], (), None, uncaptured=False) == ()


@pytest.mark.row("SC-04")
def test_each_entry_sees_its_own_hosts_on_its_own_port() -> None:
    one, rest = found({"port": HTTP, "hosts": ["./*"]}, {"hosts": ["*/*"]})
    assert (seen(one), seen(rest)) == (["x:80"], ["x:80,90", "y:80,90"])
    assert (one.catch_all, rest.catch_all) == (False, True)
    assert one.protocol is Protocol.HTTP


@pytest.mark.row("SC-04")
def test_an_http_proxy_takes_every_port() -> None:
    (one,) = found({"port": {"number": 7777, "name": "p", "protocol": "HTTP_PROXY"}, "hosts": ["*/*"]})
    assert seen(one) == ["x:80,90", "y:80,90"]
    assert one.protocol is Protocol.HTTP


@pytest.mark.row("SC-04")
@pytest.mark.parametrize(
    ("entry", "uncaptured", "socket"),
    [
        ({}, False, False),
        ({"bind": "127.0.0.1"}, False, False),
        ({"captureMode": "IPTABLES"}, False, False),
        ({"captureMode": "NONE"}, False, True),
        ({}, True, True),
        ({"bind": "unix:///var/run/x.sock", "port": {**HTTP, "number": 0}}, False, True),
        ({"bind": "@abstract", "port": {**HTTP, "number": 0}}, False, True),
    ],
)
def test_which_listeners_open_a_socket(entry: dict[str, Any], uncaptured: bool, socket: bool) -> None:
    assert found({"port": HTTP, "hosts": ["*/*"], **entry}, uncaptured=uncaptured)[0].socket is socket


@pytest.mark.row("SC-04")
def test_clusters_are_for_what_any_of_them_sees() -> None:
    entries = found({"port": HTTP, "hosts": ["*/*"]}, {"hosts": ["./*"]})
    assert [(s.hostname, [p.number for p in s.ports]) for s in united([X, Y], entries, ())] == [
        ("x", [80, 90]),
        ("y", [80]),
    ]
    alone = found({"port": HTTP, "hosts": ["./*"]})
    assert [s.hostname for s in united([X, Y], alone, ("y",))] == ["x", "y"]
