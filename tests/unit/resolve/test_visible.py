from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.match import PortSelector
from mizzen.api.virtual_service import Destination
from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Service
from mizzen.resolve.sidecars import Egress
from mizzen.resolve.visible import Seen, destinations, services
from tests.meshes import routes

PORTS = (Port("http", 80, Protocol.HTTP), Port("tcp", 90, Protocol.TCP))


def of(hostname: str, namespace: str, **more: Any) -> Service:
    return Service(hostname=hostname, name=hostname, namespace=namespace, ports=PORTS, **more)


def to(host: str, port: int = 0) -> Destination:
    return Destination(host=host, port=PortSelector(number=port) if port else None)


def seen(every: list[Service], hosts: list[str], *imported: Destination, port: int = 0, **more: Any) -> list[str]:
    found = services(every, "a", Egress(hosts, "a"), imported, port=port, **more)
    return [
        f"{item.service.namespace}/{item.service.hostname}:{','.join(map(str, sorted(item.ports)))}" for item in found
    ]


X, Y = of("x", "a"), of("y", "b")


@pytest.mark.row("SC-03")
@pytest.mark.parametrize(
    ("imported", "expected"),
    [
        ([], ["a/x:"]),
        ([to("y")], ["a/x:", "b/y:"]),
        ([to("y", 80)], ["a/x:", "b/y:80"]),
        ([to("y", 80), to("y", 90)], ["a/x:", "b/y:80,90"]),
        ([to("y", 80), to("y")], ["a/x:", "b/y:"]),
        ([to("x", 80)], ["a/x:"]),
    ],
)
def test_destinations_of_routes_are_seen_on_the_ports_that_they_name(
    imported: list[Destination], expected: list[str]
) -> None:
    assert seen([X, Y], ["./*"], *imported) == expected


@pytest.mark.row("SC-03", "SC-11")
def test_of_one_host_a_listed_one_then_the_own_namespaces_then_kubernetes_then_the_oldest() -> None:
    own, other = of("x", "a", from_kubernetes=False), of("x", "b")
    assert seen([other, own], ["*/*"]) == ["a/x:"]
    assert seen([other, own], ["b/*"], to("x")) == ["b/x:"]
    entry, kubernetes, younger = of("x", "b", from_kubernetes=False), of("x", "c"), of("x", "d")
    assert seen([entry, kubernetes, younger], ["*/*"]) == ["c/x:"]
    assert seen([of("x", "d"), of("x", "c")], ["*/*"]) == ["d/x:"]


@pytest.mark.row("SC-04")
def test_one_port_alone() -> None:
    assert seen([X, Y], ["*/*"], port=90) == ["a/x:90", "b/y:90"]
    assert seen([X, Y], ["*/*"], port=91) == []
    assert seen([X, Y], ["./*"], to("y", 80), port=90) == ["a/x:90"]


@pytest.mark.row("SE-12")
def test_what_is_not_exported_is_never_seen_but_a_collector_always() -> None:
    hidden = of("z", "b", export_to=("b",))
    assert seen([hidden], ["*/*"], to("z")) == []
    assert seen([hidden], ["*/*"], sinks=("z",)) == ["b/z:"]


def test_a_service_with_all_of_its_ports_is_the_same_object() -> None:
    assert Seen(X).narrowed() is X
    assert Seen(X, frozenset({80, 90})).narrowed() is X
    assert [p.number for p in Seen(X, frozenset({90})).narrowed().ports] == [90]


@pytest.mark.row("SC-03")
def test_everything_that_a_route_may_lead_to() -> None:
    vs = routes(
        "r",
        "a",
        hosts=["h"],
        http=[
            {
                "route": [{"destination": {"host": "one"}}],
                "mirror": {"host": "two"},
                "mirrors": [{"destination": {"host": "three"}}],
            }
        ],
        tcp=[{"route": [{"destination": {"host": "four"}}]}],
        tls=[{"match": [{"sniHosts": ["h"]}], "route": [{"destination": {"host": "five"}}]}],
    )
    assert {d.host for d in destinations([vs])} == {"one", "two", "three", "four", "five"}
