"""Kubernetes' strategic merge of one pod over another: lists of named things are merged by their key."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_DEFAULTS = {"protocol": "TCP"}
_SERVICE_PORT = {"containerPort": "port"}
"""What the ports of a Service call it."""
_ONE_OF = ("exec", "httpGet", "tcpSocket", "grpc")
_ONE_OF_ENV = ("value", "valueFrom")


def merge(base: Any, patch: Any, key: str = "") -> Any:
    """``patch`` over ``base``. Objects merge, keyed lists merge by key in the order base then new, all else is replaced.

    A ``null`` in an object of ``patch`` removes that key. Neither argument is changed.
    """
    if isinstance(base, dict) and isinstance(patch, dict):
        return _objects(base, patch)
    if isinstance(base, list) and isinstance(patch, list):
        if key in _KEYS:
            return _lists(base, patch, _KEYS[key])
        if key in ("finalizers", "add", "drop"):
            return base + [item for item in patch if item not in base]
    return patch


def _objects(base: Json, patch: Json) -> Json:
    merged = dict(base)
    # A handler or a value source of another sort takes the place of the one below it.
    for group in (_ONE_OF, _ONE_OF_ENV):
        if any(name in patch for name in group):
            for name in group:
                if name not in patch:
                    merged.pop(name, None)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged[name], value, name) if name in merged else value
    return merged


def _lists(base: list[Any], patch: list[Any], keys: tuple[str, ...]) -> list[Any]:
    merged = list(base)
    index = {_identity(item, keys): at for at, item in enumerate(merged)}
    for item in patch:
        identity = _identity(item, keys)
        if identity in index:
            merged[index[identity]] = merge(merged[index[identity]], item)
        else:
            index[identity] = len(merged)
            merged.append(item)
    return merged


def _identity(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    if not isinstance(item, dict):
        return (repr(item),)
    return tuple(item.get(key, item.get(_SERVICE_PORT.get(key, key), _DEFAULTS.get(key))) for key in keys)
