from __future__ import annotations

import pytest

from mizzen.model.finding import Level
from mizzen.resolve.gateway_api import NOTHING, generated
from tests.gateway_world import gateway, made, route, secret
from tests.scenes import Scene

BACKEND = "rules: [{backendRefs: [{name: %s, port: 80}]}]"


def test_without_the_gateway_api_there_is_nothing_to_do() -> None:
    assert generated({}, {}, "cluster.local") is NOTHING


def test_what_leads_nowhere_is_told_with_its_field() -> None:
    listeners = "[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]"
    parents = "parentRefs: [{name: gw}, {name: gw, sectionName: c}], "
    found = made(gateway(listeners) + route(parents + BACKEND % "absent")).findings
    assert [(f.kind, f.name, f.field, f.message.partition(":")[0]) for f in found] == [
        ("Gateway.gateway.networking.k8s.io", "gw", "spec.listeners[1]", "HostnameConflict"),
        ("HTTPRoute", "r", "spec.parentRefs[1]", "NoMatchingParent"),
        ("HTTPRoute", "r", "spec.rules", "BackendNotFound"),
    ]
    assert {f.level for f in found} == {Level.WARNING}


def test_gateways_of_ambient_mode_are_told_to_have_no_effect() -> None:
    found = made(gateway().replace("gatewayClassName: istio", "gatewayClassName: istio-waypoint"))
    assert found.gateways == {}
    assert "ambient" in found.findings[0].message


@pytest.mark.row("GA-14")
def test_a_secret_of_another_namespace_is_served_only_while_it_is_granted() -> None:
    listeners = "[{name: http, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c, namespace: bank}]}}]"
    grant = """
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: bank}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop}]
  to: [{group: "", kind: Secret, name: c}]
"""
    text = gateway(listeners) + secret("c", "bank") + route(BACKEND % "web")
    from mizzen.model.resources import LISTENER, SECRET

    assert list(Scene(text + grant).resources("shop/gw-0").get(SECRET)) == ["kubernetes-gateway://bank/c"]
    assert not Scene(text).resources("shop/gw-0").get(SECRET)
    assert not Scene(text).resources("shop/gw-0").get(LISTENER)


@pytest.mark.row("GW-31")
@pytest.mark.parametrize(("account", "served"), [("gw-istio", True), ("other", False)])
def test_a_secret_is_for_proxies_of_the_gateways_own_account(account: str, served: bool) -> None:
    from mizzen.model.resources import SECRET

    listeners = "[{name: http, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}]}}]"
    text = gateway(listeners) + secret("c") + route(BACKEND % "web")
    made_ = Scene(text.replace("serviceAccountName: gw-istio", f"serviceAccountName: {account}")).resources("shop/gw-0")
    assert list(made_.get(SECRET)) == (["kubernetes-gateway://shop/c"] if served else [])
    assert any("for service account gw-istio" in finding.message for finding in made_.findings) is not served


@pytest.mark.row("GA-05")
def test_switches_of_the_control_plane() -> None:
    from dataclasses import replace

    from mizzen.model.features import Features, GatewayApi
    from mizzen.resolve import build
    from mizzen.resolve.gateway_api.classes import Deployment

    named = gateway().replace(
        "gatewayClassName: istio", "gatewayClassName: istio\n  addresses: [{type: Hostname, value: web}]"
    )
    config = Scene(named).config

    def found(**options: bool) -> list[Deployment]:
        features = Features(gateway_api=GatewayApi(**options))
        result = build(replace(config, features=features)).steps["gateway_api"][1]
        return [bound.served.deployment for bound in result.listeners.get(("Gateway", "shop", "gw"), ())]

    assert found() == [Deployment.MANUAL]
    assert found(manual=False) == [Deployment.AUTOMATIC]
    assert found(enabled=False) == []


@pytest.mark.row("GA-23")
@pytest.mark.parametrize(("written", "leads"), [("2026-01-01", "ratings"), ("2026-01-09", "reviews")])
def test_a_virtual_service_of_the_host_is_not_merged_and_the_older_counts(written: str, leads: str) -> None:
    from tests.scenes import route as route_of

    text = f"""
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v, namespace: shop, creationTimestamp: "{written}T00:00:00Z"}}
spec: {{hosts: [web], http: [{{route: [{{destination: {{host: ratings}}}}]}}]}}
"""
    spec = "parentRefs: [{group: '', kind: Service, name: web}], " + BACKEND % "reviews"
    made_ = Scene(text + route(spec)).resources("shop/web-0")
    hosts = {h.name: [r.route.cluster for r in h.routes] for h in route_of(made_, "80").virtual_hosts}
    assert hosts["web.shop.svc.cluster.local:80"] == [f"outbound|80||{leads}.shop.svc.cluster.local"]
