from __future__ import annotations

import pytest

from mizzen.api.gateway import ServerTLSSettings
from mizzen.resolve.gateway_api.listeners import BoundListener
from tests.gateway_world import CA, gateway, made, secret

GRANT = """
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: bank}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop}]
  to: [{group: "", kind: Secret}]
"""


def listener(tls: str, more: str = "", protocol: str = "HTTPS", frontend: str = "") -> BoundListener:
    text = gateway(f"[{{name: https, port: 443, protocol: {protocol}{f', tls: {tls}' if tls else ''}}}]")
    if frontend:
        text = text.replace("gatewayClassName: istio", f"gatewayClassName: istio\n  tls: {{frontend: {frontend}}}")
    return made(text + more).listeners[("Gateway", "shop", "gw")][0]


def settings(bound: BoundListener) -> ServerTLSSettings:
    assert bound.server is not None
    assert bound.server.tls is not None
    return bound.server.tls


@pytest.mark.row("GA-08")
@pytest.mark.parametrize(
    ("refs", "more", "reason", "served"),
    [
        ("[{name: c}]", secret("c"), "", 1),
        ("[{name: c}, {name: d}]", secret("c") + secret("d"), "", 2),
        ("[{name: c}, {name: absent}]", secret("c"), "", 1),
        ("[{name: absent}]", "", "InvalidCertificateRef", 0),
        ("[{name: c}]", secret("c", **{"tls.crt": "x", "tls.key": "y"}), "InvalidCertificateRef", 0),
        ("[{name: c}]", secret("c", other="x"), "InvalidCertificateRef", 0),
        ("[{name: c}]", secret("c") + "data: {tls.crt: eA==, tls.key: eA==}\n", "", 1),
        ("[{kind: ConfigMap, name: c}]", secret("c"), "InvalidCertificateRef", 0),
        ("[{name: c, namespace: bank}]", secret("c", "bank"), "RefNotPermitted", 0),
        ("[{name: absent, namespace: bank}]", "", "RefNotPermitted", 0),
        ("[{name: c, namespace: bank}]", secret("c", "bank") + GRANT, "", 1),
        ("[]", "", "InvalidCertificateRef", 0),
        ("[{name: a}, {name: b}, {name: c}]", "", "InvalidCertificateRef", 0),
    ],
)
def test_certificates(refs: str, more: str, reason: str, served: int) -> None:
    bound = listener(f"{{certificateRefs: {refs}}}", more)
    assert (bound.resolved.reason if bound.resolved else "") == reason
    assert (bound.server is not None) is bool(served)
    if served:
        tls = settings(bound)
        assert len(tls.credential_names or (tls.credential_name,)) == served
        assert tls.mode == "SIMPLE"
        assert (tls.credential_name or tls.credential_names[0]).startswith("kubernetes-gateway://")


@pytest.mark.row("GA-08")
@pytest.mark.parametrize(
    ("mode", "made_mode", "credential"),
    [
        ("MUTUAL", "MUTUAL", "kubernetes-gateway://shop/c"),
        ("OPTIONAL_MUTUAL", "OPTIONAL_MUTUAL", "kubernetes-gateway://shop/c"),
        ("ISTIO_SIMPLE", "SIMPLE", "builtin://"),
        ("ISTIO_MUTUAL", "ISTIO_MUTUAL", ""),
        ("ANYTHING", "SIMPLE", "kubernetes-gateway://shop/c"),
    ],
)
def test_modes_by_option(mode: str, made_mode: str, credential: str) -> None:
    tls = settings(
        listener(
            f"{{certificateRefs: [{{name: c}}], options: {{gateway.istio.io/tls-terminate-mode: {mode},"
            " gateway.istio.io/tls-cipher-suites: 'bad, ECDHE-RSA-AES128-GCM-SHA256'}}",
            secret("c"),
        )
    )
    assert (tls.mode, tls.credential_name) == (made_mode, credential)
    assert tls.cipher_suites == ("ECDHE-RSA-AES128-GCM-SHA256",)


def test_tls_that_is_passed_on() -> None:
    assert settings(listener("{mode: Passthrough}", protocol="TLS")).mode == "PASSTHROUGH"
    auto = "{mode: Passthrough, options: {gateway.istio.io/listener-protocol: auto-passthrough}}"
    assert settings(listener(auto, protocol="TLS")).mode == "AUTO_PASSTHROUGH"


@pytest.mark.parametrize(
    ("labels", "port", "mode"),
    [
        ("{topology.istio.io/network: a}", 15443, "AUTO_PASSTHROUGH"),
        ("{topology.istio.io/network: a, networking.istio.io/gatewayPort: '443'}", 443, "AUTO_PASSTHROUGH"),
        ("{topology.istio.io/network: a}", 443, "PASSTHROUGH"),
        ("{}", 15443, "PASSTHROUGH"),
    ],
)
def test_the_port_by_which_other_networks_come_leads_by_sni_alone(labels: str, port: int, mode: str) -> None:
    text = gateway(f"[{{name: tls, port: {port}, protocol: TLS, tls: {{mode: Passthrough}}}}]")
    text = text.replace("metadata: {name: gw,", f"metadata: {{name: gw, labels: {labels},", 1)
    assert settings(made(text).listeners[("Gateway", "shop", "gw")][0]).mode == mode


def test_without_a_tls_section_nothing_is_served() -> None:
    bound = listener("")
    assert bound.server is None
    assert bound.resolved is not None


CERTIFICATE = "{certificateRefs: [{name: c}]}"
ROOTS = {"ca.crt": CA.pem}


@pytest.mark.row("GA-09")
@pytest.mark.parametrize(
    ("validation", "more", "mode", "reason"),
    [
        ("{caCertificateRefs: [{kind: Secret, name: roots}]}", secret("roots", **ROOTS), "MUTUAL", ""),
        (
            "{mode: AllowInsecureFallback, caCertificateRefs: [{kind: Secret, name: roots}]}",
            secret("roots", **ROOTS),
            "OPTIONAL_MUTUAL",
            "",
        ),
        ("{caCertificateRefs: [{kind: Secret, name: absent}]}", "", "", "InvalidCACertificateRef"),
        ("{caCertificateRefs: [{kind: Secret, name: roots}]}", secret("roots", x="y"), "", "InvalidCACertificateRef"),
        ("{caCertificateRefs: [{kind: Bucket, name: roots}]}", "", "", "InvalidCACertificateKind"),
        ("{caCertificateRefs: [{kind: Secret, name: roots, namespace: bank}]}", "", "", "RefNotPermitted"),
        ("{caCertificateRefs: []}", "", "", "InvalidCACertificateRef"),
    ],
)
def test_clients_are_asked_for_a_certificate(validation: str, more: str, mode: str, reason: str) -> None:
    bound = listener(CERTIFICATE, secret("c") + more, frontend=f"{{default: {{validation: {validation}}}}}")
    assert (bound.resolved.reason if bound.resolved else "") == reason
    assert (bound.accepted.reason if bound.accepted else "") == ("NoValidCACertificate" if reason else "")
    if mode:
        tls = settings(bound)
        assert tls.mode == mode
        assert tls.ca_cert_credential_name == "kubernetes-gateway://shop/roots-cacert"
        assert bool(tls.insecure_skip_verify) is bound.insecure is (mode == "OPTIONAL_MUTUAL")


def test_a_port_of_its_own_beats_the_default() -> None:
    frontend = (
        "{default: {validation: {caCertificateRefs: [{kind: Secret, name: absent}]}}, perPort: [{port: 443, tls: {}}]}"
    )
    assert settings(listener(CERTIFICATE, secret("c"), frontend=frontend)).mode == "SIMPLE"
