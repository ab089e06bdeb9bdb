from __future__ import annotations

import pytest

from tests.gateway_world import PLAIN, gateway, made, route, secret, virtual_service

BACKEND = "rules: [{backendRefs: [{name: %s, port: 80}]}]"
MESH = "parentRefs: [{group: '', kind: Service, name: web, namespace: shop%s}], "


@pytest.mark.row("GA-12")
def test_routes_of_one_listener_and_host_merge_the_oldest_first() -> None:
    text = (
        gateway()
        + route(BACKEND % "reviews", name="young", created="2026-01-05T00:00:00Z")
        + route(
            "rules: [{backendRefs: [{name: web, port: 80}]}, {backendRefs: [{name: web, port: 80}]}]",
            name="old",
            created="2026-01-04T00:00:00Z",
        )
        + route(
            "rules: [{matches: [{method: {service: a, method: B}}], backendRefs: [{name: ratings, port: 80}]}]",
            "GRPCRoute",
            "g",
        )
    )
    assert [r.name for r in virtual_service(text).http] == ["shop.g.0", "shop.old.0", "shop.old.1", "shop.young.0"]


def test_two_references_to_one_listener_are_one_attachment() -> None:
    text = gateway() + route("parentRefs: [{name: gw}, {name: gw, sectionName: http}], " + BACKEND % "web")
    assert len(virtual_service(text).http) == 1


@pytest.mark.row("GA-12")
def test_one_virtual_service_for_each_host() -> None:
    found = made(gateway() + route("hostnames: [a.com, b.com], " + BACKEND % "web"))
    assert sorted(o.body.hosts for o in found.virtual_services.values()) == [("a.com",), ("b.com",)]


@pytest.mark.row("GA-12")
def test_routes_of_bytes() -> None:
    tcp = gateway("[{name: http, port: 9000, protocol: TCP}]") + route(BACKEND % "web", "TCPRoute")
    body = virtual_service(tcp)
    assert [d.destination.host for d in body.tcp[0].route if d.destination] == ["web.shop.svc.cluster.local"]
    tls = gateway("[{name: http, port: 443, protocol: TLS, hostname: '*.a.com', tls: {mode: Passthrough}}]")
    body = virtual_service(tls + route("hostnames: [x.a.com, y.com], " + BACKEND % "web", "TLSRoute"), "x.a.com")
    assert body.tls[0].match[0].sni_hosts == ("x.a.com",)


@pytest.mark.row("GA-20")
@pytest.mark.parametrize(
    "backends", ["[]", "[{name: web, port: 80, weight: 0}]", "[{kind: Bucket, group: b, name: web, port: 80}]"]
)
def test_bytes_that_lead_nowhere_are_closed(backends: str) -> None:
    text = gateway("[{name: http, port: 9000, protocol: TCP}]") + route(
        f"rules: [{{backendRefs: {backends}}}]", "TCPRoute"
    )
    assert [d.destination.host for d in virtual_service(text).tcp[0].route if d.destination] == [""]


def test_a_backend_that_cannot_be_is_told_and_serves_nothing() -> None:
    text = gateway("[{name: http, port: 9000, protocol: TCP}]") + route(
        "rules: [{backendRefs: [{name: web}]}]", "TCPRoute"
    )
    found = made(text)
    assert found.virtual_services == {}
    assert found.routes[0].problem is not None
    assert found.routes[0].problem.reason == "InvalidDestination"


@pytest.mark.row("GA-23")
def test_a_route_beside_its_service_is_for_all_clients_another_for_its_own_namespace() -> None:
    ignored = "hostnames: [elsewhere.com], "
    found = made(
        route(MESH % "" + ignored + BACKEND % "reviews")
        + route(MESH % "" + BACKEND % "web", name="c", namespace="bank")
    )
    by_namespace = {o.namespace: o.body for o in found.virtual_services.values()}
    assert by_namespace["shop"].export_to == ("*",)
    assert by_namespace["bank"].export_to == (".",)
    assert by_namespace["shop"].gateways == ("mesh",)
    assert by_namespace["shop"].hosts == ("web.shop.svc.cluster.local",)


@pytest.mark.row("GA-23")
def test_routes_of_one_namespace_for_one_service_merge_whatever_their_kind() -> None:
    text = (
        route(MESH % ", port: 80" + BACKEND % "reviews")
        + route(MESH % ", port: 81" + BACKEND % "ratings", "TCPRoute", "t")
        + route(MESH % "" + "hostnames: [a.com], " + BACKEND % "ratings", "TLSRoute", "s")
    ).replace("port: 81", "port: 80", 1)
    found = made(text)
    assert len(found.virtual_services) == 1
    body = next(iter(found.virtual_services.values())).body
    assert body.http[0].match[0].port == 80
    assert body.tcp[0].match[0].port == 80
    assert body.tls[0].match[0].sni_hosts == ("a.com",)


def test_what_attaches_nowhere_is_checked_all_the_same() -> None:
    bad = "parentRefs: [{name: gw, sectionName: absent}], "
    for kind in ("HTTPRoute", "TCPRoute"):
        item = made(gateway(PLAIN) + secret("c") + route(bad + BACKEND % "absent", kind)).routes[0]
        assert item.problem is not None
        assert item.problem.reason == "BackendNotFound"
