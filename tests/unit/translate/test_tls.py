from __future__ import annotations

import pytest
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2

from mizzen.api.mesh_config import MeshConfig, TLSConfig
from mizzen.translate import tls


def downstream(mesh: MeshConfig) -> tls_pb2.DownstreamTlsContext:
    context = tls_pb2.DownstreamTlsContext()
    assert tls.mesh_downstream_socket(mesh, alpn=tls.ALPN_HTTP).typed_config.Unpack(context)
    return context


@pytest.mark.row("PA-12")
@pytest.mark.row("MC-27")
def test_the_floor_is_tls_1_2_unless_raised() -> None:
    params = downstream(MeshConfig()).common_tls_context.tls_params
    assert params.tls_minimum_protocol_version == common_pb2.TlsParameters.TLSv1_2
    assert params.tls_maximum_protocol_version == common_pb2.TlsParameters.TLSv1_3
    assert tuple(params.cipher_suites) == tls.INBOUND_CIPHERS
    raised = MeshConfig(
        mesh_mtls=TLSConfig(
            min_protocol_version="TLSV1_3", cipher_suites=("AES128-SHA", "unknown"), ecdh_curves=("P-256",)
        )
    )
    params = downstream(raised).common_tls_context.tls_params
    assert params.tls_minimum_protocol_version == common_pb2.TlsParameters.TLSv1_3
    assert list(params.cipher_suites) == ["AES128-SHA"]
    assert list(params.ecdh_curves) == []


@pytest.mark.row("MC-17", "PA-13")
def test_a_peer_is_of_one_of_the_meshs_trust_domains() -> None:
    mesh = MeshConfig(trust_domain="a", trust_domain_aliases=("b",), ca_certificates=({"trustDomains": ["c"]},))
    context = downstream(mesh)
    assert context.require_client_certificate.value
    validation = context.common_tls_context.combined_validation_context
    sans = validation.default_validation_context.match_typed_subject_alt_names
    assert [san.matcher.prefix for san in sans] == ["spiffe://a/", "spiffe://b/", "spiffe://c/"]
    assert validation.validation_context_sds_secret_config.name == "ROOTCA"


@pytest.mark.row("OL-21")
def test_the_client_checks_exactly_who_serves() -> None:
    context = tls_pb2.UpstreamTlsContext()
    socket = tls.mesh_upstream_socket(sni="s", sans=["spiffe://b", "spiffe://a", "spiffe://a"], alpn=["istio"])
    assert socket.typed_config.Unpack(context)
    assert (context.sni, list(context.common_tls_context.alpn_protocols)) == ("s", ["istio"])
    sans = (
        context.common_tls_context.combined_validation_context.default_validation_context.match_typed_subject_alt_names
    )
    assert [san.matcher.exact for san in sans] == ["spiffe://a", "spiffe://b"]
    (secret,) = context.common_tls_context.tls_certificate_sds_secret_configs
    assert secret.sds_config.path_config_source.path == "/etc/istio/proxy/sds/default.json"
    assert secret.sds_config.path_config_source.watched_directory.path == "/etc/istio/proxy/sds"
