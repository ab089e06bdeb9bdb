"""Which key sets Envoy fetches itself, and through which service (row RA-06)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from mizzen.api.meta import Object
from mizzen.model.features import RemoteKeys
from mizzen.model.jwks import KeySource, RemoteKeySet
from mizzen.model.service import Service
from mizzen.resolve.token_keys import sources

_PORTS = {"http": 80, "https": 443}


def remote_keys_of(
    authentications: Iterable[Object], mode: RemoteKeys, hosts: Mapping[str, tuple[Service, ...]]
) -> dict[KeySource, RemoteKeySet]:
    """By source. In the mode ENVOY also those whose host nobody knows: their tokens are refused.

    A rule without ``jwksUri`` needs discovery, which Envoy cannot do, so the control plane always fetches its keys.
    """
    if mode is RemoteKeys.CONTROL_PLANE:
        return {}
    found = {}
    for source in sources(authentications):
        remote = _remote(source.uri)
        if remote is not None and (mode is RemoteKeys.ENVOY or _known(remote, hosts)):
            found[source] = remote
    return found


def _remote(uri: str) -> RemoteKeySet | None:
    try:
        parts = urlsplit(uri)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return RemoteKeySet(uri, parts.hostname, port) if parts.hostname and port else None


def _known(remote: RemoteKeySet, hosts: Mapping[str, tuple[Service, ...]]) -> bool:
    return any(port.number == remote.port for service in hosts.get(remote.hostname, ()) for port in service.ports)
