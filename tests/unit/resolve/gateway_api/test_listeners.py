from __future__ import annotations

import pytest

from mizzen.model import generated
from mizzen.resolve.gateway_api.listeners import BoundListener
from tests.gateway_world import NAME, PLAIN, gateway, made, secret


def bound(listeners: str, more: str = "") -> list[BoundListener]:
    return list(made(gateway(listeners) + more).listeners[("Gateway", "shop", "gw")])


@pytest.mark.row("GA-07")
def test_a_listener_becomes_a_gateway_with_one_server() -> None:
    obj = made(gateway()).gateways[("shop", NAME)]
    assert obj.body.servers[0].hosts == ("shop/*",)
    assert obj.body.servers[0].port.number == 80
    assert obj.meta.annotations["internal.istio.io/gateway-service"] == "gw-istio.shop.svc.cluster.local"


@pytest.mark.row("GW-31", "GA-05")
def test_only_proxies_that_are_deployed_have_an_account_of_the_gateways_own() -> None:
    named = gateway().replace(
        "gatewayClassName: istio", "gatewayClassName: istio\n  addresses: [{type: Hostname, value: web}]"
    )
    found = [made(text).gateways[("shop", NAME)].meta.annotations[generated.ACCOUNT] for text in (gateway(), named)]
    assert found == ["gw-istio", ""]


@pytest.mark.row("GA-07")
@pytest.mark.parametrize(
    ("allowed", "hosts"),
    [
        ("{namespaces: {from: All}}", ("*/a.com",)),
        ("{namespaces: {from: Selector, selector: {matchLabels: {team: money}}}}", ("bank/a.com",)),
        ("{namespaces: {from: Selector, selector: {matchLabels: {team: none}}}}", ("~/a.com",)),
    ],
)
def test_hosts_carry_the_namespaces_that_may_attach(allowed: str, hosts: tuple[str, ...]) -> None:
    text = gateway(f"[{{name: http, port: 80, protocol: HTTP, hostname: a.com, allowedRoutes: {allowed}}}]")
    assert made(text).gateways[("shop", NAME)].body.servers[0].hosts == hosts


@pytest.mark.row("GA-07")
@pytest.mark.parametrize("protocol", ["UDP", "http", "SCTP"])
def test_an_unknown_protocol_is_not_accepted(protocol: str) -> None:
    found = bound(f"[{{name: x, port: 80, protocol: {protocol}}}]")[0]
    assert found.accepted is not None
    assert found.accepted.reason == "UnsupportedProtocol"
    assert found.object() is None


@pytest.mark.row("GA-07")
@pytest.mark.parametrize(
    ("protocol", "tls", "kinds", "reason", "kept"),
    [
        ("HTTP", "", "", "", ["HTTPRoute", "GRPCRoute"]),
        ("HTTPS", "{certificateRefs: [{name: c}]}", "", "", ["HTTPRoute", "GRPCRoute"]),
        ("TCP", "", "", "", ["TCPRoute"]),
        ("TLS", "{mode: Passthrough}", "", "", ["TLSRoute"]),
        ("TLS", "{certificateRefs: [{name: c}]}", "", "", ["TLSRoute", "TCPRoute"]),
        ("HTTP", "", "[{kind: GRPCRoute}]", "", ["GRPCRoute"]),
        ("HTTP", "", "[{kind: TCPRoute}, {kind: HTTPRoute}]", "InvalidRouteKinds", ["HTTPRoute"]),
        ("HTTP", "", "[{kind: HTTPRoute, group: example.com}]", "InvalidRouteKinds", []),
    ],
)
def test_kinds_of_routes(protocol: str, tls: str, kinds: str, reason: str, kept: list[str]) -> None:
    more = f", tls: {tls}" if tls else ""
    allowed = f", allowedRoutes: {{kinds: {kinds}}}" if kinds else ""
    found = bound(f"[{{name: x, port: 80, protocol: {protocol}{more}{allowed}}}]", secret("c"))[0]
    assert [kind.kind for kind in found.kinds] == kept
    assert (found.resolved.reason if found.resolved else "") == reason


@pytest.mark.row("GA-07")
@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ("{name: b, port: 80, protocol: HTTP}", "HostnameConflict"),
        ("{name: b, port: 80, protocol: HTTPS, tls: {certificateRefs: [{name: c}]}}", "ProtocolConflict"),
        ("{name: b, port: 80, protocol: TCP}", "ProtocolConflict"),
        ("{name: b, port: 80, protocol: HTTP, hostname: a.com}", ""),
        ("{name: b, port: 81, protocol: HTTP}", ""),
    ],
)
def test_the_first_listener_of_a_place_wins(second: str, reason: str) -> None:
    one, two = bound(f"[{{name: a, port: 80, protocol: HTTP}}, {second}]", secret("c"))
    assert one.conflicted is None
    assert (two.conflicted.reason if two.conflicted else "") == reason
    assert (two.object() is None) is bool(reason)


def test_nothing_is_served_without_proxies() -> None:
    text = gateway(PLAIN).replace("gatewayClassName: istio", "gatewayClassName: istio-remote")
    assert made(text).gateways == {}
