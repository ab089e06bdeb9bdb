from __future__ import annotations

import pytest

from mizzen.resolve.gateway_api import class_status, statuses
from mizzen.resolve.gateway_api.classes import KIND
from mizzen.resolve.gateway_api.conditions import Problem
from tests.gateway_world import PLAIN, conditions, gateway, made, route, secret, status

BACKEND = "rules: [{backendRefs: [{name: %s, port: 80}]}]"
CLASS = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: istio}
spec: {controllerName: istio.io/gateway-controller}
"""


@pytest.mark.row("GA-02")
def test_a_class_is_accepted() -> None:
    assert conditions(class_status()) == {"Accepted": "True Accepted"}
    assert conditions(status(gateway() + CLASS, "GatewayClass", "istio", ""))["Accepted"] == "True Accepted"


@pytest.mark.row("GA-19")
def test_a_gateway_that_works() -> None:
    found = status(gateway() + route(BACKEND % "web"))
    assert conditions(found) == {
        "Accepted": "True Accepted",
        "Programmed": "True Programmed",
        "ResolvedRefs": "True ResolvedRefs",
    }
    assert found["addresses"] == [{"type": "IPAddress", "value": "192.0.2.1"}]
    listener = found["listeners"][0]
    assert (listener["attachedRoutes"], [k["kind"] for k in listener["supportedKinds"]]) == (
        1,
        ["HTTPRoute", "GRPCRoute"],
    )
    assert conditions(listener) == {
        "Accepted": "True Accepted",
        "Conflicted": "False NoConflicts",
        "Programmed": "True Programmed",
        "ResolvedRefs": "True ResolvedRefs",
    }


@pytest.mark.row("GA-19")
@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        (gateway().replace("name: gw-istio", "name: other"), "Programmed", "False AddressNotUsable"),
        (
            gateway().replace("status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}", ""),
            "Programmed",
            "False AddressNotAssigned",
        ),
        (gateway("[]"), "Programmed", "True Programmed"),
        (
            gateway("[]").replace("listeners:", "addresses: [{value: absent, type: Hostname}]\n  listeners:"),
            "Programmed",
            "False AddressNotUsable",
        ),
        (gateway("[{name: a, port: 80, protocol: UDP}]"), "Accepted", "False ListenersNotValid"),
        (
            gateway("[{name: a, port: 80, protocol: UDP}, {name: b, port: 81, protocol: HTTP}]"),
            "Accepted",
            "True ListenersNotValid",
        ),
        (
            gateway().replace(
                "listeners:", "addresses: [{value: a, type: Hostname}, {value: 192.0.2.1}]\n  listeners:"
            ),
            "Accepted",
            "False UnsupportedAddress",
        ),
        (
            gateway("[{name: a, port: 8080, protocol: HTTP}]").replace(
                "listeners:", "addresses: [{value: gw-istio, type: Hostname}]\n  listeners:"
            ),
            "Programmed",
            "False AddressNotUsable",
        ),
    ],
)
def test_a_gateway_that_does_not(text: str, type_: str, expected: str) -> None:
    assert conditions(status(text))[type_] == expected


def test_parameters_that_cannot_be_used() -> None:
    found = statuses(made(gateway()), {}, {("shop", "gw"): Problem("InvalidParameters", "why")})
    assert conditions(found[(KIND, "shop", "gw")])["Accepted"] == "False InvalidParameters"


def test_a_service_without_load_balancer_is_its_own_address() -> None:
    text = gateway().replace("type: LoadBalancer", "type: ClusterIP")
    assert status(text)["addresses"] == [{"type": "Hostname", "value": "gw-istio.shop.svc.cluster.local"}]


@pytest.mark.row("GA-19")
def test_a_service_of_our_own_that_lacks_a_port_yet_is_no_fault() -> None:
    text = gateway("[{name: a, port: 8080, protocol: HTTP}]")
    assert conditions(status(text))["Programmed"] == "True Programmed"


@pytest.mark.row("GA-22")
def test_a_remote_gateway_repeats_its_addresses() -> None:
    text = gateway().replace(
        "gatewayClassName: istio", "gatewayClassName: istio-remote\n  addresses: [{value: 192.0.2.9}]"
    )
    assert status(text)["addresses"] == [{"type": "IPAddress", "value": "192.0.2.9"}]
    empty = gateway("[]").replace("gatewayClassName: istio", "gatewayClassName: istio-remote")
    assert status(empty)["addresses"] == []


@pytest.mark.row("GA-08")
@pytest.mark.row("GA-19")
def test_a_listener_without_its_certificate_is_not_programmed() -> None:
    text = gateway("[{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: absent}]}}]")
    found = conditions(status(text)["listeners"][0])
    assert found["ResolvedRefs"] == "False InvalidCertificateRef"
    assert found["Programmed"] == "False Invalid"


@pytest.mark.row("GA-09")
def test_an_insecure_fallback_is_told() -> None:
    text = gateway("[{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: c}]}}]").replace(
        "gatewayClassName: istio",
        "gatewayClassName: istio\n  tls: {frontend: {default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{kind: Secret, name: c}]}}}}",
    )
    from tests.gateway_world import CA

    held = secret("c", **{"tls.crt": CA.pem, "tls.key": CA.key_pem, "ca.crt": CA.pem})
    assert conditions(status(text + held))["InsecureFrontendValidationMode"] == "True ConfigurationChanged"


@pytest.mark.row("GA-19")
@pytest.mark.row("GA-20")
@pytest.mark.parametrize(
    ("spec", "accepted", "resolved"),
    [
        (BACKEND % "web", "True Accepted", "True ResolvedRefs"),
        (BACKEND % "absent", "True Accepted", "False BackendNotFound"),
        (
            "rules: [{backendRefs: [{name: edge, namespace: istio-system, port: 80}]}]",
            "True Accepted",
            "False RefNotPermitted",
        ),
        ("rules: [{backendRefs: [{name: web}]}]", "True Accepted", "False InvalidDestination"),
        (
            "parentRefs: [{name: gw, sectionName: absent}], " + BACKEND % "web",
            "False NoMatchingParent",
            "True ResolvedRefs",
        ),
    ],
)
def test_a_route(spec: str, accepted: str, resolved: str) -> None:
    found = status(gateway(PLAIN) + route(spec), "HTTPRoute", "r")["parents"]
    assert len(found) == 1
    assert conditions(found[0]) == {"Accepted": accepted, "ResolvedRefs": resolved}
    assert found[0]["controllerName"] == "istio.io/gateway-controller"
    assert found[0]["parentRef"]["kind"] == "Gateway"


@pytest.mark.row("GA-10")
@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("{name: c}", "True ResolvedRefs"),
        ("{name: absent}", "False InvalidClientCertificateRef"),
        ("{name: c, namespace: bank}", "False RefNotPermitted"),
    ],
)
def test_a_certificate_for_backends_is_only_looked_at(ref: str, expected: str) -> None:
    tls = f"tls: {{backend: {{clientCertificateRef: {ref}}}}}"
    text = gateway().replace("gatewayClassName: istio", f"gatewayClassName: istio\n  {tls}") + secret("c")
    assert conditions(status(text))["ResolvedRefs"] == expected


@pytest.mark.row("GA-04")
def test_an_annotation_says_which_kind_of_address_is_told() -> None:
    both = gateway().replace("[{ip: 192.0.2.1}]", "[{ip: 192.0.2.1}, {hostname: a.test}]")
    chosen = both.replace(
        "metadata: {name: gw,", "metadata: {name: gw, annotations: {networking.istio.io/address-type: Hostname},", 1
    )
    assert [a["value"] for a in status(both)["addresses"]] == ["192.0.2.1", "a.test"]
    assert [a["value"] for a in status(chosen)["addresses"]] == ["a.test"]


@pytest.mark.row("GA-07", "GA-19")
def test_each_listener_has_its_routes_and_one_that_lost_its_place_has_none() -> None:
    listeners = "[{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: HTTP}, {name: c, port: 80, protocol: HTTP}]"
    one = route("parentRefs: [{name: gw, sectionName: a}], " + BACKEND % "web")
    found = status(gateway(listeners) + one + route(BACKEND % "web", name="both"))["listeners"]
    assert [listener["attachedRoutes"] for listener in found[:2]] == [2, 1]
    assert conditions(found[2]) == {
        "Accepted": "False HostnameConflict",
        "Conflicted": "True HostnameConflict",
        "Programmed": "False HostnameConflict",
        "ResolvedRefs": "True ResolvedRefs",
    }
