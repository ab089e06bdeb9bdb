"""Mesh mTLS: both ends take certificate and roots from the pod's SDS files, so rotation changes no resource.

Rows PA-12, PA-13, OL-21. Envoy: ``extensions.transport_sockets.tls.v3``.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoy.config.core.v3 import base_pb2, config_source_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2
from envoy.type.matcher.v3 import string_pb2

from mizzen.api.ciphers import usable
from mizzen.api.mesh_config import MeshConfig
from mizzen.translate.messages import any_of

SDS_DIRECTORY = "/etc/istio/proxy/sds"
SDS_DEFAULT = "default"
SDS_ROOT = "ROOTCA"

ALPN_HTTP = ("h2", "http/1.1")
"""What a server offers on its HTTP chains; the istio-* names are matched, never negotiated (row PA-01)."""
ALPN_TCP = ("istio-peer-exchange", "h2", "http/1.1")

INBOUND_CIPHERS = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
)
"""Row PA-12: the suites a sidecar accepts in TLS 1.2 when ``meshMTLS.cipherSuites`` names none."""

_NAME = "envoy.transport_sockets.tls"
_V1_2 = common_pb2.TlsParameters.TLSv1_2
_V1_3 = common_pb2.TlsParameters.TLSv1_3


def sds_secret(name: str) -> secret_pb2.SdsSecretConfig:
    """The secret ``name`` read from its file, which the agent replaces by one rename."""
    path = config_source_pb2.PathConfigSource(
        path=f"{SDS_DIRECTORY}/{name}.json", watched_directory=base_pb2.WatchedDirectory(path=SDS_DIRECTORY)
    )
    source = config_source_pb2.ConfigSource(path_config_source=path, resource_api_version=config_source_pb2.V3)
    return secret_pb2.SdsSecretConfig(name=name, sds_config=source)


def mesh_upstream_socket(
    *,
    sni: str,
    sans: Sequence[str],
    alpn: Sequence[str],
    identity: tuple[secret_pb2.SdsSecretConfig, secret_pb2.SdsSecretConfig] | None = None,
) -> base_pb2.TransportSocket:
    """mTLS towards a mesh peer. ``sans`` are exact SPIFFE ids, and none means no SAN check (row OL-21).

    TLS 1.2 to 1.3 with Envoy's own suites (row PA-12). ``identity`` (certificate, roots) replaces the pod's own (DR-52).
    """
    common = _common(alpn)
    if identity is not None:
        common.tls_certificate_sds_secret_configs[0].CopyFrom(identity[0])
        common.combined_validation_context.validation_context_sds_secret_config.CopyFrom(identity[1])
    validation = common.combined_validation_context.default_validation_context
    for san in sorted(set(sans)):
        validation.match_typed_subject_alt_names.append(_san(string_pb2.StringMatcher(exact=san)))
    context = tls_pb2.UpstreamTlsContext(common_tls_context=common, sni=sni)
    return base_pb2.TransportSocket(name=_NAME, typed_config=any_of(context))


def mesh_downstream_socket(mesh: MeshConfig, *, alpn: Sequence[str]) -> base_pb2.TransportSocket:
    """mTLS from a mesh peer, whose certificate must be of one of the mesh's trust domains (rows PA-12, PA-13)."""
    common = _common(alpn)
    chosen = usable(mesh.mesh_mtls.cipher_suites) if mesh.mesh_mtls else ()
    common.tls_params.cipher_suites.extend(chosen or INBOUND_CIPHERS)
    if mesh.mesh_mtls and mesh.mesh_mtls.min_protocol_version == "TLSV1_3":
        common.tls_params.tls_minimum_protocol_version = _V1_3
    validation = common.combined_validation_context.default_validation_context
    for domain in trust_domains(mesh):
        validation.match_typed_subject_alt_names.append(_san(string_pb2.StringMatcher(prefix=f"spiffe://{domain}/")))
    context = tls_pb2.DownstreamTlsContext(common_tls_context=common)
    context.require_client_certificate.value = True
    return base_pb2.TransportSocket(name=_NAME, typed_config=any_of(context))


def trust_domains(mesh: MeshConfig) -> list[str]:
    """Own trust domain, its aliases and those of ``caCertificates``, each once, in this order."""
    extra = [
        domain for ca in mesh.ca_certificates for domain in ca.get("trustDomains") or () if isinstance(domain, str)
    ]
    return list(dict.fromkeys([mesh.trust_domain, *mesh.trust_domain_aliases, *extra]))


def _common(alpn: Sequence[str]) -> tls_pb2.CommonTlsContext:
    return tls_pb2.CommonTlsContext(
        alpn_protocols=alpn,
        tls_params=common_pb2.TlsParameters(tls_minimum_protocol_version=_V1_2, tls_maximum_protocol_version=_V1_3),
        tls_certificate_sds_secret_configs=[sds_secret(SDS_DEFAULT)],
        combined_validation_context=tls_pb2.CommonTlsContext.CombinedCertificateValidationContext(
            default_validation_context=common_pb2.CertificateValidationContext(),
            validation_context_sds_secret_config=sds_secret(SDS_ROOT),
        ),
    )


def _san(matcher: string_pb2.StringMatcher) -> common_pb2.SubjectAltNameMatcher:
    return common_pb2.SubjectAltNameMatcher(san_type=common_pb2.SubjectAltNameMatcher.URI, matcher=matcher)
