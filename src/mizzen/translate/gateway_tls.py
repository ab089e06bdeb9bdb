"""TLS of a Gateway server (rows GW-11 to GW-13, GW-16 to GW-18, GW-22)."""

from __future__ import annotations

from collections.abc import Sequence

from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from envoy.type.matcher.v3 import string_pb2

from mizzen.api.ciphers import usable, usable_curves
from mizzen.api.gateway import ServerTLSSettings
from mizzen.api.mesh_config import MeshConfig, TLSConfig
from mizzen.translate import credentials as names
from mizzen.translate.messages import any_of
from mizzen.translate.tls import mesh_downstream_socket

_VERSIONS = {
    "TLSV1_0": common_pb2.TlsParameters.TLSv1_0,
    "TLSV1_1": common_pb2.TlsParameters.TLSv1_1,
    "TLSV1_2": common_pb2.TlsParameters.TLSv1_2,
    "TLSV1_3": common_pb2.TlsParameters.TLSv1_3,
}


def downstream_socket(tls: ServerTLSSettings, mesh: MeshConfig, alpn: Sequence[str]) -> base_pb2.TransportSocket:
    """The server's side: its certificate from a Secret (over ADS) or files, and what it asks of the client."""
    if tls.mode == "ISTIO_MUTUAL":
        return _mesh_socket(tls, mesh, alpn)
    context = tls_pb2.DownstreamTlsContext()
    common = context.common_tls_context
    common.alpn_protocols.extend(alpn)
    _versions(common, tls, mesh)
    credentials = tls.credential_names or ((tls.credential_name,) if tls.credential_name else ())
    _certificates(common, tls, credentials)
    context.require_client_certificate.value = tls.mode == "MUTUAL"
    if tls.mode in ("MUTUAL", "OPTIONAL_MUTUAL") and not tls.insecure_skip_verify:
        _client_roots(common, tls, credentials)
    return base_pb2.TransportSocket(name="envoy.transport_sockets.tls", typed_config=any_of(context))


def _mesh_socket(tls: ServerTLSSettings, mesh: MeshConfig, alpn: Sequence[str]) -> base_pb2.TransportSocket:
    """The gateway's own mesh certificate; of the server's settings only the client's names and the CRL count (GW-16)."""
    socket = mesh_downstream_socket(mesh, alpn=alpn or ("h2", "http/1.1"))
    if tls.subject_alt_names or tls.ca_crl:
        context = tls_pb2.DownstreamTlsContext()
        socket.typed_config.Unpack(context)
        validation = context.common_tls_context.combined_validation_context.default_validation_context
        if tls.subject_alt_names:
            validation.ClearField("match_typed_subject_alt_names")
            _client_names(validation, tls.subject_alt_names)
        if tls.ca_crl:
            validation.crl.filename = tls.ca_crl
        socket.typed_config.CopyFrom(any_of(context))
    return socket


def _versions(common: tls_pb2.CommonTlsContext, tls: ServerTLSSettings, mesh: MeshConfig) -> None:
    """The server's own settings, each else that of ``tlsDefaults`` (rows GW-22 to GW-24)."""
    base = mesh.tls_defaults or TLSConfig()
    params = common.tls_params
    for minimum in (tls.min_protocol_version, base.min_protocol_version):
        if minimum in _VERSIONS:
            params.tls_minimum_protocol_version = _VERSIONS[minimum]
            break
    if tls.max_protocol_version in _VERSIONS:
        params.tls_maximum_protocol_version = _VERSIONS[tls.max_protocol_version]
    params.cipher_suites.extend(usable(tls.cipher_suites or base.cipher_suites))
    params.ecdh_curves.extend(usable_curves(tls.ecdh_curves or base.ecdh_curves))


def _client_names(validation: common_pb2.CertificateValidationContext, names: Sequence[str]) -> None:
    for name in names:
        for kind in (common_pb2.SubjectAltNameMatcher.DNS, common_pb2.SubjectAltNameMatcher.URI):
            validation.match_typed_subject_alt_names.add(san_type=kind, matcher=string_pb2.StringMatcher(exact=name))


def _certificates(common: tls_pb2.CommonTlsContext, tls: ServerTLSSettings, credentials: Sequence[str]) -> None:
    if credentials:
        common.tls_certificate_sds_secret_configs.extend(names.certificate(name) for name in credentials)
        return
    files = [(c.server_certificate, c.private_key) for c in tls.tls_certificates] or [
        (tls.server_certificate, tls.private_key)
    ]
    for chain, key in files:
        common.tls_certificate_sds_secret_configs.append(names.file_certificate(chain, key))


def _client_roots(common: tls_pb2.CommonTlsContext, tls: ServerTLSSettings, credentials: Sequence[str]) -> None:
    validation = common_pb2.CertificateValidationContext()
    _client_names(validation, tls.subject_alt_names)
    if credentials:
        validation.verify_certificate_spki.extend(tls.verify_certificate_spki)
        validation.verify_certificate_hash.extend(tls.verify_certificate_hash)
        source = names.roots(tls.ca_cert_credential_name or credentials[0])
    else:
        if tls.ca_crl:
            validation.crl.filename = tls.ca_crl
        source = names.file_roots(tls.ca_certificates)
    common.combined_validation_context.default_validation_context.CopyFrom(validation)
    common.combined_validation_context.validation_context_sds_secret_config.CopyFrom(source)
