"""Certificates of a gRPC application: the providers of its bootstrap file, by the names that Istio's agent writes there."""

from __future__ import annotations

from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

INSTANCE = "default"
"""The entry of ``certificate_providers``."""


def common_context(context: tls_pb2.CommonTlsContext) -> None:
    """Own certificate and roots from the provider (gRPC proposal A29)."""
    own = context.tls_certificate_provider_instance
    own.instance_name, own.certificate_name = INSTANCE, "default"
    combined = context.combined_validation_context
    roots = combined.default_validation_context.ca_certificate_provider_instance
    roots.instance_name, roots.certificate_name = INSTANCE, "ROOTCA"
