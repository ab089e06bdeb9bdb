"""How a client secures its connections: auto mTLS per endpoint, or what the DestinationRule says (DR-44 to DR-51, OL-20)."""

from __future__ import annotations

from collections.abc import Sequence

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from envoy.type.matcher.v3 import string_pb2
from google.protobuf.struct_pb2 import Struct
from msgspec.structs import replace

from mizzen.api.ciphers import usable, usable_curves
from mizzen.api.destination_rule import ClientTLSSettings
from mizzen.api.mesh_config import TLSConfig
from mizzen.translate import alpn, connection_pool, credentials
from mizzen.translate.messages import any_of
from mizzen.translate.proxy_identity import ProxyIdentity
from mizzen.translate.tls import mesh_upstream_socket

_TLS = "envoy.transport_sockets.tls"


def mesh_alpn(speech: str, *, declared: bool) -> tuple[str, ...]:
    """What a mesh client offers: it tells the server's chains HTTP from bytes (rows OL-22, PA-01).

    ``speech`` is what the upstream speaks. An undeclared port may carry bytes: there ``istio.alpn`` decides per request.
    """
    if not declared or speech == connection_pool.FOLLOW:
        return alpn.TCP
    return {"h2": alpn.HTTP2, "http/1.1": alpn.HTTP11}.get(speech, alpn.TCP)


def auto_mtls_matches(
    sni: str, sans: Sequence[str], offered: Sequence[str], identity: ProxyIdentity | None = None
) -> list[cluster_pb2.Cluster.TransportSocketMatch]:
    """mTLS to endpoints marked ``tlsMode: istio``, plain text to all others (row OL-20)."""
    marked = Struct()
    marked.update({"tlsMode": "istio"})
    match = cluster_pb2.Cluster.TransportSocketMatch
    mesh = mesh_upstream_socket(sni=sni, sans=sans, alpn=offered, identity=identity.secrets if identity else None)
    return [
        match(name="tlsMode-istio", match=marked, transport_socket=mesh),
        match(name="tlsMode-disabled", match=Struct(), transport_socket=_raw()),
    ]


def socket_of(
    tls: ClientTLSSettings,
    *,
    sni: str,
    sans: Sequence[str],
    entry_sans: Sequence[str],
    offered: Sequence[str],
    http2: bool,
    defaults: TLSConfig | None = None,
    identity: ProxyIdentity | None = None,
) -> base_pb2.TransportSocket | None:
    """The socket that a rule's ``tls`` block asks for; None is plain text. ``sni``, ``sans``, ``offered``: the mesh's own.

    ``defaults``: the mesh's ``tlsDefaults``, of which suites and curves count for TLS to the outside (rows MC-27, DR-55).
    ``identity``: files that the proxy uses in place of all others (row DR-52).
    """
    if tls.mode == "ISTIO_MUTUAL":
        own = identity.secrets if identity else None
        names = tls.subject_alt_names or sans
        return mesh_upstream_socket(sni=tls.sni or sni, sans=names, alpn=offered, identity=own)
    if tls.mode == "MUTUAL" and identity is not None:
        files = {"client_certificate": identity.chain, "private_key": identity.key}
        tls = replace(tls, **files, ca_certificates=identity.authorities, credential_name="")
    if tls.mode in ("SIMPLE", "MUTUAL"):
        return _originate(tls, entry_sans, http2, defaults or TLSConfig())
    return None


def _originate(
    tls: ClientTLSSettings, entry_sans: Sequence[str], http2: bool, defaults: TLSConfig
) -> base_pb2.TransportSocket:
    context = tls_pb2.UpstreamTlsContext(sni=tls.sni)
    common = context.common_tls_context
    common.tls_params.tls_minimum_protocol_version = common_pb2.TlsParameters.TLSv1_2
    common.tls_params.tls_maximum_protocol_version = common_pb2.TlsParameters.TLSv1_3
    common.tls_params.cipher_suites.extend(usable(defaults.cipher_suites))
    common.tls_params.ecdh_curves.extend(usable_curves(defaults.ecdh_curves))
    if http2:
        common.alpn_protocols.append("h2")
    if tls.mode == "MUTUAL" and tls.credential_name:
        common.tls_certificate_sds_secret_configs.append(credentials.certificate(tls.credential_name))
    elif tls.mode == "MUTUAL":
        files = credentials.file_certificate(tls.client_certificate, tls.private_key)
        common.tls_certificate_sds_secret_configs.append(files)
    if not tls.insecure_skip_verify:
        _verify(common, tls, tls.subject_alt_names or tuple(entry_sans))
    return base_pb2.TransportSocket(name=_TLS, typed_config=any_of(context))


def _verify(common: tls_pb2.CommonTlsContext, tls: ClientTLSSettings, sans: Sequence[str]) -> None:
    validation = common_pb2.CertificateValidationContext()
    for san in sans:
        for kind in (common_pb2.SubjectAltNameMatcher.DNS, common_pb2.SubjectAltNameMatcher.URI):
            validation.match_typed_subject_alt_names.add(san_type=kind, matcher=string_pb2.StringMatcher(exact=san))
    if tls.ca_crl:
        validation.crl.filename = tls.ca_crl
    combined = common.combined_validation_context
    combined.default_validation_context.CopyFrom(validation)
    combined.validation_context_sds_secret_config.CopyFrom(
        credentials.roots(tls.credential_name)
        if tls.credential_name
        else credentials.file_roots(tls.ca_certificates or credentials.SYSTEM)
    )


def _raw() -> base_pb2.TransportSocket:
    return base_pb2.TransportSocket(
        name="envoy.transport_sockets.raw_buffer", typed_config=any_of(raw_buffer_pb2.RawBuffer())
    )
