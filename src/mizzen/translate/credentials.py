"""Names of credentials as users write them, and where Envoy fetches what they stand for (rows CG-01, CG-08, CW-02)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from envoy.config.core.v3 import config_source_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from msgspec.structs import replace

from mizzen.api.destination_rule import ClientTLSSettings
from mizzen.api.gateway import ServerTLSSettings
from mizzen.translate.tls import SDS_DEFAULT, SDS_ROOT, sds_secret

Settings = TypeVar("Settings", ServerTLSSettings, ClientTLSSettings)
ROOTS = "-cacert"
"""Ends the name of what a certificate's peers are verified by."""
KUBERNETES, GATEWAY, CONFIG_MAP, BUILTIN = "kubernetes", "kubernetes-gateway", "configmap", "builtin"
WITHHELD = "withheld"
"""In place of ``kubernetes`` where the proxy may not have the Secret. Nothing is served under such a name, and because it
is another one Envoy drops what it was sent while it was allowed: it ignores the removal of a secret (row GW-31)."""
FILE, FILE_ROOTS = "file-cert", "file-root"
SYSTEM = "system"
"""The roots that the system trusts, in place of a path (row DR-45)."""


@dataclass(frozen=True)
class Name:
    """``kind://namespace/name`` taken apart; ``namespace`` is empty where the proxy's own is meant."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def parse(cls, resource: str) -> Name:
        """Of a name that :func:`certificate_name` or :func:`roots_name` gave."""
        kind, _, rest = resource.partition("://")
        namespace, slash, name = rest.rpartition("/")
        return cls(kind, namespace if slash else "", name)


def certificate_name(credential: str) -> str:
    """The resource of a ``credentialName``. A bare name is a Secret's; so is one of ``sds://``, for pods have no such socket."""
    kind, mark, rest = credential.partition("://")
    if not mark:
        return f"{KUBERNETES}://{credential}"
    return f"{KUBERNETES}://{rest}" if kind == "sds" else credential


def named_for(tls: Settings, *, lists_secrets: bool) -> Settings:
    """``tls`` as it is for proxies that may list Secrets; for others what names a Secret with a key is withheld. Roots
    are no secret: they stay (row GW-31)."""
    if lists_secrets:
        return tls
    if isinstance(tls, ServerTLSSettings):
        tls = replace(tls, credential_names=tuple(_withheld(name) for name in tls.credential_names))
    return replace(tls, credential_name=_withheld(tls.credential_name) if tls.credential_name else "")


def _withheld(credential: str) -> str:
    kind, mark, rest = certificate_name(credential).partition("://")
    return f"{WITHHELD}{mark}{rest}" if kind == KUBERNETES else credential


def roots_name(credential: str) -> str:
    """The resource with the roots that belong to a ``credentialName``."""
    kind, mark, rest = certificate_name(credential).partition("://")
    return f"{KUBERNETES if kind == WITHHELD else kind}{mark}{rest.removesuffix(ROOTS)}{ROOTS}"


def certificate(credential: str) -> secret_pb2.SdsSecretConfig:
    """The certificate and key of a ``credentialName``; ``builtin://`` is the workload's own."""
    return sds_secret(SDS_DEFAULT) if credential.startswith(f"{BUILTIN}://") else _served(certificate_name(credential))


def roots(credential: str) -> secret_pb2.SdsSecretConfig:
    """The roots of a ``credentialName``; ``builtin://`` are the mesh's."""
    return sds_secret(SDS_ROOT) if credential.startswith(f"{BUILTIN}://") else _served(roots_name(credential))


def file_certificate_name(chain: str, key: str) -> str:
    """The resource that stands for two files in the pod."""
    return f"{FILE}:{chain}~{key}"


def file_roots_name(path: str) -> str:
    """The resource that stands for a file with roots in the pod."""
    return f"{FILE_ROOTS}:{path}"


def file_certificate(chain: str, key: str) -> secret_pb2.SdsSecretConfig:
    """Two files, which Envoy watches only when a secret names them, and not a listener or a cluster."""
    return _served(file_certificate_name(chain, key))


def file_roots(path: str) -> secret_pb2.SdsSecretConfig:
    return _served(file_roots_name(path))


def _served(name: str) -> secret_pb2.SdsSecretConfig:
    """Over ADS, with Envoy's own patience: a secret that never comes must not hold back its listener for ever."""
    source = config_source_pb2.ConfigSource(resource_api_version=config_source_pb2.V3)
    source.ads.SetInParent()
    return secret_pb2.SdsSecretConfig(name=name, sds_config=source)
