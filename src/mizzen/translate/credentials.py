"""Names of credentials as users write them, and where Envoy fetches what they stand for (rows CG-01, CG-08, CW-02)."""

from __future__ import annotations

from dataclasses import dataclass

from envoy.config.core.v3 import config_source_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from mizzen.translate.tls import SDS_DEFAULT, SDS_ROOT, sds_secret

ROOTS = "-cacert"
"""Ends the name of what a certificate's peers are verified by."""
KUBERNETES, GATEWAY, CONFIG_MAP, BUILTIN = "kubernetes", "kubernetes-gateway", "configmap", "builtin"
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


def roots_name(credential: str) -> str:
    """The resource with the roots that belong to a ``credentialName``."""
    return f"{certificate_name(credential).removesuffix(ROOTS)}{ROOTS}"


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
