from __future__ import annotations

import pytest

from mizzen.resolve.gateway_api.attachment import Attachment
from tests.gateway_world import PLAIN, gateway, made, route

TWO = "[{name: a, port: 80, protocol: HTTP, hostname: '*.a.com'}, {name: b, port: 81, protocol: HTTP, hostname: b.com}]"
ENTRY = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out, namespace: shop}
spec: {hosts: [out.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
"""


def attached(
    parent: str, listeners: str = TWO, rest: str = "", kind: str = "HTTPRoute", namespace: str = "shop"
) -> list[Attachment]:
    text = gateway(listeners) + ENTRY + route(f"parentRefs: [{parent}], {rest}rules: []", kind, namespace=namespace)
    return made(text).routes[0].attachments


def places(found: list[Attachment]) -> list[tuple[str, tuple[str, ...]]]:
    return [(p.listener.listener.name, p.hosts) for a in found for p in a.places]


@pytest.mark.row("GA-07")
@pytest.mark.row("GF-10")
@pytest.mark.parametrize(
    ("parent", "rest", "expected", "reason"),
    [
        ("{name: gw}", "", [("a", ("*.a.com",)), ("b", ("b.com",))], ""),
        ("{name: gw, sectionName: b}", "", [("b", ("b.com",))], ""),
        ("{name: gw, port: 81}", "", [("b", ("b.com",))], ""),
        ("{name: gw, port: 81, sectionName: a}", "", [], "NoMatchingParent"),
        ("{name: gw, sectionName: absent}", "", [], "NoMatchingParent"),
        ("{name: gw}", "hostnames: [x.a.com], ", [("a", ("x.a.com",))], ""),
        ("{name: gw}", "hostnames: ['*.com'], ", [("a", ("*.a.com",)), ("b", ("b.com",))], ""),
        ("{name: gw}", "hostnames: [x.c.com], ", [], "NoMatchingListenerHostname"),
    ],
)
def test_listeners_of_a_gateway(parent: str, rest: str, expected: list[object], reason: str) -> None:
    found = attached(parent, rest=rest)
    assert places(found) == expected
    assert (found[0].problem.reason if found[0].problem else "") == reason


@pytest.mark.row("GA-07")
def test_kinds_and_namespaces_that_a_listener_does_not_take() -> None:
    other = "{name: gw, namespace: shop}"
    for found in (attached(other, namespace="bank"), attached("{name: gw}", kind="TCPRoute")):
        assert found[0].problem is not None
        assert found[0].problem.reason == "NotAllowedByListeners"


@pytest.mark.row("GA-19")
@pytest.mark.parametrize(
    "parent", ["{name: absent}", "{kind: Bucket, group: example.com, name: gw}", "{kind: Mesh, name: gw}"]
)
def test_a_parent_that_is_not_ours_is_not_spoken_of(parent: str) -> None:
    assert attached(parent) == []


@pytest.mark.row("GA-07")
def test_a_host_belongs_to_the_most_specific_listener() -> None:
    listeners = "[{name: all, port: 80, protocol: HTTP}, {name: a, port: 80, protocol: HTTP, hostname: '*.a.com'}, {name: x, port: 81, protocol: HTTP, hostname: b.com}]"
    found = attached("{name: gw, sectionName: all}", listeners, "hostnames: [b.com, '*.a.com', x.a.com, a.com], ")
    assert places(found) == [("all", ("b.com", "a.com"))]


@pytest.mark.row("GA-07")
def test_a_listener_of_another_protocol_takes_no_host_away() -> None:
    listeners = "[{name: all, port: 80, protocol: HTTP}, {name: a, port: 80, protocol: HTTPS, hostname: a.com, tls: {certificateRefs: [{name: c}]}}]"
    assert places(attached("{name: gw, sectionName: all}", listeners, "hostnames: [a.com], ")) == [("all", ("a.com",))]


@pytest.mark.row("GA-23")
@pytest.mark.parametrize(
    ("parent", "hosts", "reason"),
    [
        ("{group: '', kind: Service, name: web}", ("web.shop.svc.cluster.local",), ""),
        ("{group: '', kind: Service, name: web, port: 80}", ("web.shop.svc.cluster.local",), ""),
        ("{group: '', kind: Service, name: web, port: 81}", (), "NoMatchingParent"),
        ("{group: '', kind: Service, name: absent}", (), "NoMatchingParent"),
        ("{group: networking.istio.io, kind: ServiceEntry, name: out}", ("out.com",), ""),
        ("{group: networking.istio.io, kind: ServiceEntry, name: absent}", (), "NoMatchingParent"),
    ],
)
def test_services_of_the_mesh(parent: str, hosts: tuple[str, ...], reason: str) -> None:
    found = attached(parent, PLAIN)[0]
    assert found.mesh_hosts == hosts
    assert (found.problem.reason if found.problem else "") == reason


@pytest.mark.row("GA-19")
def test_hosts_that_do_not_fit_are_told_before_a_namespace_that_is_not_taken() -> None:
    found = attached("{name: gw, namespace: shop, sectionName: b}", rest="hostnames: [x.com], ", namespace="bank")
    assert found[0].problem is not None
    assert found[0].problem.reason == "NoMatchingListenerHostname"
