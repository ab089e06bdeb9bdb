"""Resources in the form of Envoy's config dump, as a proxy ought to have them (row DBG-06). Private keys are never shown."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from mizzen.model.resources import (
    CLUSTER,
    ENDPOINT,
    EXTENSION_CONFIG,
    LISTENER,
    NAME_TABLE,
    ROUTE,
    SECRET,
    Resource,
    ResourceSet,
)
from mizzen.proto.shown import decoded

Json = dict[str, Any]
SHORT = {
    "cds": CLUSTER,
    "lds": LISTENER,
    "rds": ROUTE,
    "eds": ENDPOINT,
    "sds": SECRET,
    "nds": NAME_TABLE,
    "ecds": EXTENSION_CONFIG,
    "pcds": "type.googleapis.com/istio.mesh.v1alpha1.ProxyConfig",
}
_ADMIN = "type.googleapis.com/envoy.admin.v3."
_HIDDEN = base64.b64encode(b"[redacted]").decode()
_PULL_SECRET = "ISTIO_META_WASM_IMAGE_PULL_SECRET"  # noqa: S105 - the name of a variable
_KEYS = ("private_key", "password", "session_ticket_keys")


def whole(made: ResourceSet, version: str, *, endpoints: bool) -> Json:
    """The message ``envoy.admin.v3.ConfigDump``; ``version`` is the push's. Endpoints only when they are asked for."""
    parts = [
        _part("ClustersConfigDump", version, dynamic_active_clusters=_entries(made, CLUSTER, "cluster", version)),
        _part("ListenersConfigDump", version, dynamic_listeners=_listeners(made, version)),
        _part("RoutesConfigDump", "", dynamic_route_configs=_entries(made, ROUTE, "route_config", version)),
        _part("SecretsConfigDump", "", dynamic_active_secrets=_entries(made, SECRET, "secret", version, named=True)),
        _part("EcdsConfigDump", "", ecds_filters=_entries(made, EXTENSION_CONFIG, "ecds_filter", version)),
    ]
    if endpoints:
        found = _entries(made, ENDPOINT, "endpoint_config", version)
        parts.append(_part("EndpointsConfigDump", "", dynamic_endpoint_configs=found))
    return {"configs": parts}


def bare(made: ResourceSet, types: Iterable[str]) -> Json:
    """The resources themselves of the types with these short names. Raises ValueError for a name that is none."""
    found: list[Json] = []
    for short in types:
        url = SHORT.get(short)
        if url is None:
            raise ValueError(f"{short!r} is no type; there are {', '.join(sorted(SHORT))}")
        found += (shown(resource) for resource in made.get(url).values())
    return {"configs": found}


def shown(resource: Resource) -> Json:
    """One resource with its type. What is secret in it is replaced; what cannot be read is named."""
    try:
        body = decoded(resource.type_url, resource.body)
    except ValueError as error:
        body = {"name": resource.name, "error": str(error)}
    return {"@type": resource.type_url, **_without_secrets(body)}


def _part(kind: str, version: str, **lists: list[Json]) -> Json:
    return {"@type": _ADMIN + kind, **({"version_info": version} if version else {}), **lists}


def _entries(made: ResourceSet, url: str, field: str, version: str, *, named: bool = False) -> list[Json]:
    return [
        {**({"name": name} if named else {}), "version_info": version, field: shown(resource)}
        for name, resource in made.get(url).items()
    ]


def _listeners(made: ResourceSet, version: str) -> list[Json]:
    entries = _entries(made, LISTENER, "listener", version)
    return [{"name": entry["listener"].get("name", ""), "active_state": entry} for entry in entries]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(key) if _secret(key) else _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _secret(key: str) -> bool:
    return key in _KEYS or key == _PULL_SECRET


def _replaced(key: str) -> Any:
    return "<Redacted>" if key == _PULL_SECRET else {"inline_bytes": _HIDDEN}
