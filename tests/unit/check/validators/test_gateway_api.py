from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.check import validate
from mizzen.model.finding import Level

GROUP = "gateway.networking.k8s.io/v1"


def said(kind: str, spec: dict[str, Any]) -> list[tuple[str, str]]:
    decoded = decode({"apiVersion": GROUP, "kind": kind, "metadata": {"name": "x"}, "spec": spec})
    assert decoded.object is not None, decoded.problems
    return [("!" if f.level is Level.ERROR else "", f.field) for f in validate(decoded.object)]


def listener(**more: Any) -> dict[str, Any]:
    return {"name": "a", "port": 80, "protocol": "HTTP", **more}


def gateway(*listeners: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"gatewayClassName": "istio", "listeners": list(listeners), **more}


CERTIFICATE = {"certificateRefs": [{"name": "c"}]}


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        (gateway(listener()), []),
        (gateway(listener(protocol="UDP")), []),
        (gateway(listener(), listener(name="b")), []),
        (gateway(listener(protocol="HTTPS", tls=CERTIFICATE, hostname="*.a.com")), []),
        (gateway(listener(protocol="TLS", tls={"mode": "Passthrough"})), []),
        ({"listeners": [listener()]}, [("!", "spec.gatewayClassName")]),
        (gateway(), [("!", "spec.listeners")]),
        (gateway(allowedListeners={"namespaces": {"from": "Same"}}), []),
        (gateway(allowedListeners={"namespaces": {"from": "Some"}}), [("!", "spec.allowedListeners.namespaces.from")]),
        (gateway(listener(), listener()), [("!", "spec.listeners")]),
        (gateway(listener(port=0)), [("!", "spec.listeners[0].port")]),
        (gateway(listener(protocol="")), [("!", "spec.listeners[0].protocol")]),
        (gateway(listener(name="")), [("!", "spec.listeners[0].name")]),
        (gateway(listener(hostname="192.0.2.1")), [("!", "spec.listeners[0].hostname")]),
        (gateway(listener(hostname="*")), [("!", "spec.listeners[0].hostname")]),
        (gateway(listener(protocol="TCP", hostname="a.com")), [("!", "spec.listeners[0].hostname")]),
        (gateway(listener(tls=CERTIFICATE)), [("!", "spec.listeners[0].tls")]),
        (gateway(listener(protocol="HTTPS", tls={})), [("!", "spec.listeners[0].tls")]),
        (gateway(listener(protocol="HTTPS", tls={"mode": "Passthrough"})), [("!", "spec.listeners[0].tls.mode")]),
        (gateway(listener(protocol="TLS", tls={"mode": "Odd"})), [("!", "spec.listeners[0].tls.mode")]),
        (
            gateway(listener(protocol="HTTPS", tls={**CERTIFICATE, "frontendValidation": {}})),
            [("", "spec.listeners[0].tls.frontendValidation")],
        ),
        (
            gateway(listener(allowedRoutes={"namespaces": {"from": "Nowhere"}})),
            [("!", "spec.listeners[0].allowedRoutes.namespaces.from")],
        ),
        (
            gateway(listener(allowedRoutes={"namespaces": {"selector": {"matchExpressions": [{"operator": "X"}]}}})),
            [("!", "spec.listeners[0].allowedRoutes.namespaces.selector")],
        ),
        (gateway(listener(), addresses=[{"value": "x"}]), [("!", "spec.addresses[0].value")]),
        (gateway(listener(), defaultScope="All"), [("", "spec.defaultScope")]),
        (
            gateway(listener(), tls={"backend": {"clientCertificateRef": {"name": "c"}}}),
            [("", "spec.tls.backend.clientCertificateRef")],
        ),
        (
            gateway(listener(), backendTLS={"clientCertificateRef": {"name": "c"}}),
            [("", "spec.backendTLS.clientCertificateRef")],
        ),
    ],
)
def test_gateways(spec: dict[str, Any], fields: list[tuple[str, str]]) -> None:
    assert said("Gateway", spec) == fields


def test_classes() -> None:
    assert said("GatewayClass", {}) == [("!", "spec.controllerName")]
    spec = {"controllerName": "a", "parametersRef": {"name": "x"}}
    assert said("GatewayClass", spec) == [("", "spec.parametersRef")]


def test_listener_sets() -> None:
    assert said("ListenerSet", {}) == [("!", "spec.parentRef.name"), ("!", "spec.listeners")]
    assert said("ListenerSet", {"parentRef": {"name": "g"}, "listeners": [{"name": "a", "protocol": "HTTP"}]}) == []


def test_grants() -> None:
    assert said("ReferenceGrant", {}) == [("!", "spec.from"), ("!", "spec.to")]
    assert said("ReferenceGrant", {"from": [{}], "to": [{}]}) == [
        ("!", "spec.from[0].kind"),
        ("!", "spec.from[0].namespace"),
        ("!", "spec.to[0].kind"),
    ]


TARGET = {"group": "", "kind": "Service", "name": "web"}


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({"targetRefs": [TARGET], "validation": {"hostname": "a", "wellKnownCACertificates": "System"}}, []),
        ({}, [("!", "spec.targetRefs"), ("!", "spec.validation")]),
        ({"targetRefs": [{}], "validation": {"hostname": "a"}}, [("!", "spec.targetRefs[0]")]),
        ({"targetRefs": [TARGET], "validation": {}}, [("!", "spec.validation.hostname")]),
        ({"targetRefs": [TARGET], "validation": {"hostname": "*"}}, [("!", "spec.validation.hostname")]),
        (
            {
                "targetRefs": [TARGET],
                "validation": {
                    "hostname": "a",
                    "wellKnownCACertificates": "System",
                    "caCertificateRefs": [{"name": "a"}, {"name": "b"}],
                    "subjectAltNames": [{"type": "URI", "hostname": "a"}],
                },
                "options": {"a": "b"},
            },
            [
                ("!", "spec.validation"),
                ("", "spec.validation.caCertificateRefs"),
                ("!", "spec.validation.subjectAltNames[0]"),
                ("", "spec.options"),
            ],
        ),
    ],
)
def test_tls_towards_backends(spec: dict[str, Any], fields: list[tuple[str, str]]) -> None:
    assert said("BackendTLSPolicy", spec) == fields
