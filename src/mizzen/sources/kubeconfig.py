"""What a remote secret says of its cluster: where it is read, and why it is not (row MCL-01)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mizzen.api import inline_yaml
from mizzen.api.kubernetes import Secret

UNIX = "unix://"
_INSECURE = {
    "exec": "exec",
    "client-key": "clientKey",
    "client-certificate": "clientCertificate",
    "tokenFile": "tokenFile",
}
"""What lets a kubeconfig run programs or read files of the control plane: the field, and Istio's name for it."""


class Unusable(Exception):
    """Why a cluster cannot be read."""


def texts(secret: Secret) -> dict[str, str]:
    """Cluster id -> kubeconfig. Raises Unusable when data is no base64 or no text."""
    try:
        found = {name: base64.b64decode(value, validate=True).decode() for name, value in secret.data.items()}
    except ValueError as error:
        raise Unusable("the data is no text in base64") from error
    return {**found, **secret.string_data}


def socket_of(text: str, allowed: frozenset[str] = frozenset()) -> Path:
    """The socket of the mesh that a kubeconfig names. Raises Unusable; the text never holds what the kubeconfig does.

    ``allowed`` are Istio's names of options that would be refused (``PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS``).
    """
    try:
        found = inline_yaml.load(text)
    except ValueError:
        raise Unusable("the kubeconfig is no YAML") from None
    config = _mapping(found)
    context = _chosen(config, "contexts", "context", str(config.get("current-context") or ""))
    _refuse(_chosen(config, "users", "user", str(context.get("user") or "")), allowed)
    server = str(_chosen(config, "clusters", "cluster", str(context.get("cluster") or "")).get("server") or "")
    if not server:
        raise Unusable("the kubeconfig's current context names no server")
    path = server.removeprefix(UNIX)
    if path == server:
        raise Unusable("only clusters of this machine can be read, by a server unix://PATH; this is another")
    if not path.startswith("/"):
        raise Unusable("the server's path is not absolute")
    return Path(path)


def _refuse(user: Mapping[str, Any], allowed: frozenset[str]) -> None:
    for field, name in _INSECURE.items():
        if user.get(field) and name not in allowed:
            raise Unusable(f"{name} is refused in a remote secret: it would use programs or files of the control plane")
    provider = _mapping(user.get("auth-provider")).get("name")
    if provider and provider != "oidc" and str(provider) not in allowed:
        raise Unusable("auth providers but oidc are refused in a remote secret")


def _chosen(config: Mapping[str, Any], group: str, key: str, name: str) -> Mapping[str, Any]:
    """The entry of this name in one of the kubeconfig's lists; nothing when there is none."""
    entries = config.get(group)
    found = (_mapping(entry) for entry in (entries if isinstance(entries, list) else ()))
    return next((_mapping(entry.get(key)) for entry in found if entry.get("name") == name), {})


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
