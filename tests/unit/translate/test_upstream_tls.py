"""TLS towards upstreams, as the rule says."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.api.mesh_config import TLSConfig
from mizzen.translate import upstream_tls
from tests.meshes import rule


def context(entry_sans: tuple[str, ...] = (), http2: bool = False, **tls: Any) -> dict[str, Any]:
    body = rule("r", "a", host="x", trafficPolicy={"tls": tls}).body
    socket = upstream_tls.socket_of(
        body.traffic_policy.tls,
        sni="mesh-sni",
        sans=["spiffe://td/ns/a/sa/b"],
        entry_sans=entry_sans,
        offered=("istio",),
        http2=http2,
    )
    assert socket is not None
    message = tls_pb2.UpstreamTlsContext()
    assert socket.typed_config.Unpack(message)
    return MessageToDict(message)


def names(found: dict[str, Any]) -> set[str]:
    validation = found["commonTlsContext"].get("validationContext") or found["commonTlsContext"].get(
        "combinedValidationContext", {}
    ).get("defaultValidationContext", {})
    return {san["matcher"]["exact"] for san in validation.get("matchTypedSubjectAltNames", [])}


def roots(found: dict[str, Any]) -> str:
    return str(found["commonTlsContext"]["combinedValidationContext"]["validationContextSdsSecretConfig"]["name"])


@pytest.mark.row("DR-47")
def test_mesh_certificates_with_the_meshs_names_unless_the_rule_has_its_own() -> None:
    plain = context(mode="ISTIO_MUTUAL")
    assert (plain["sni"], names(plain)) == ("mesh-sni", {"spiffe://td/ns/a/sa/b"})
    assert plain["commonTlsContext"]["tlsCertificateSdsSecretConfigs"][0]["name"] == "default"
    own = context(mode="ISTIO_MUTUAL", sni="own", subjectAltNames=["spiffe://x"], clientCertificate="/ignored")
    assert (own["sni"], names(own)) == ("own", {"spiffe://x"})
    assert "/ignored" not in str(own)


@pytest.mark.row("DR-45")
def test_origination_verifies_with_the_systems_roots_unless_told_otherwise() -> None:
    plain = context(mode="SIMPLE")
    assert (roots(plain), names(plain)) == ("file-root:system", set())
    assert "alpnProtocols" not in plain["commonTlsContext"]
    assert context(mode="SIMPLE", http2=True)["commonTlsContext"]["alpnProtocols"] == ["h2"]
    own = context(mode="SIMPLE", caCertificates="/own.pem")["commonTlsContext"]["combinedValidationContext"]
    assert own["validationContextSdsSecretConfig"]["name"] == "file-root:/own.pem"
    assert context(mode="SIMPLE", sni="a.example")["sni"] == "a.example"
    assert names(context(("entry.example",), mode="SIMPLE")) == {"entry.example"}
    assert names(context(("entry.example",), mode="SIMPLE", subjectAltNames=["rule.example"])) == {"rule.example"}
    assert "combinedValidationContext" not in context(mode="SIMPLE", insecureSkipVerify=True)["commonTlsContext"]
    secret = context(mode="SIMPLE", credentialName="c")["commonTlsContext"]["combinedValidationContext"]
    assert secret["validationContextSdsSecretConfig"]["name"] == "kubernetes://c-cacert"


@pytest.mark.row("DR-46")
def test_a_client_certificate_comes_from_files_or_a_secret() -> None:
    files = context(mode="MUTUAL", clientCertificate="/c", privateKey="/k")["commonTlsContext"]
    assert files["tlsCertificateSdsSecretConfigs"][0]["name"] == "file-cert:/c~/k"
    secret = context(mode="MUTUAL", credentialName="c")["commonTlsContext"]
    assert secret["tlsCertificateSdsSecretConfigs"][0]["name"] == "kubernetes://c"


@pytest.mark.row("MC-27")
def test_suites_and_curves_of_the_mesh_count_outside_but_its_lowest_version_does_not() -> None:
    body = rule("r", "a", host="x", trafficPolicy={"tls": {"mode": "SIMPLE", "sni": "x"}}).body
    defaults = TLSConfig(
        min_protocol_version="TLSV1_3", cipher_suites=("AES128-SHA", "moon"), ecdh_curves=("P-256", "moon", "P-256")
    )
    socket = upstream_tls.socket_of(
        body.traffic_policy.tls, sni="", sans=(), entry_sans=(), offered=(), http2=False, defaults=defaults
    )
    assert socket is not None
    message = tls_pb2.UpstreamTlsContext()
    assert socket.typed_config.Unpack(message)
    params = message.common_tls_context.tls_params
    assert (list(params.cipher_suites), list(params.ecdh_curves)) == (["AES128-SHA"], ["P-256"])
    assert params.tls_minimum_protocol_version == common_pb2.TlsParameters.TLSv1_2
