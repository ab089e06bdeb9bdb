"""Certificate, key and roots that a proxy's own metadata names in place of its mesh identity (row DR-52)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.translate import credentials

_PARTS = ("CERT_CHAIN", "KEY", "ROOT_CERT")


@dataclass(frozen=True)
class ProxyIdentity:
    """Paths in the proxy's pod."""

    chain: str
    key: str
    authorities: str

    @property
    def names(self) -> tuple[str, str]:
        """The resources of certificate and roots."""
        return credentials.file_certificate_name(self.chain, self.key), credentials.file_roots_name(self.authorities)

    @property
    def secrets(self) -> tuple[secret_pb2.SdsSecretConfig, secret_pb2.SdsSecretConfig]:
        """Where Envoy fetches certificate and roots."""
        return credentials.file_certificate(self.chain, self.key), credentials.file_roots(self.authorities)


def proxy_identity(flags: Mapping[str, str]) -> ProxyIdentity | None:
    """From ``ISTIO_META_TLS_CLIENT_CERT_CHAIN``, ``_KEY`` and ``_ROOT_CERT``; None unless all three are named."""
    named = [flags.get(f"TLS_CLIENT_{part}", "") for part in _PARTS]
    return ProxyIdentity(*named) if all(named) else None
