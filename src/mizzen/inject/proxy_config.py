"""The ProxyConfig of one pod: the mesh's, objects of that kind, the pod's annotation (rows AN-11, PC-01, PC-02)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from mizzen.api import inline_yaml
from mizzen.api.mesh_config import ProxyConfig
from mizzen.api.meta import Duration, Object
from mizzen.inject.merge import Json

ANNOTATION = "proxy.istio.io/config"
_NAMES = {field.encode_name: field.default for field in msgspec.structs.fields(ProxyConfig)}
_DEFAULTS: Json = msgspec.to_builtins(ProxyConfig(), enc_hook=str)


def effective(
    mesh: ProxyConfig, annotation: str | None, wide: Json | None = None, own: Json | None = None
) -> tuple[Json, list[str]]:
    """The pod's ProxyConfig as JSON without what equals the defaults, and the names in the annotation that nobody knows.

    From weak to strong: the mesh's, ``wide``, the annotation, ``own`` (see :func:`patches`).
    Raises ValueError when the annotation is not a ProxyConfig in YAML.
    """
    config = _over(msgspec.to_builtins(mesh, enc_hook=str), wide or {})
    unknown: list[str] = []
    if annotation:
        patch = _read(annotation)
        unknown = sorted(patch.keys() - _NAMES.keys())
        patch = {name: value for name, value in patch.items() if name in _NAMES}
        _check(patch)
        config = _over(config, patch)
    config = _over(config, own or {})
    config["proxyMetadata"] = dict(sorted(config["proxyMetadata"].items()))
    return {name: value for name, value in config.items() if value != _DEFAULTS.get(name)}, unknown


def patches(objects: Iterable[Object], namespace: str, labels: dict[str, str], root: str) -> tuple[Json, Json]:
    """What ProxyConfig objects say of a pod: those below its annotation, and the one with a selector above it.

    At each level only the oldest counts: root namespace, then the pod's namespace, then a selector there (row PC-01).
    """
    levels: dict[str, Object] = {}
    for obj in sorted(objects, key=lambda o: o.age_key):
        selector = obj.body.selector
        selects = selector is not None and bool(selector.match_labels)
        if selects and obj.namespace == namespace and selector.matches(labels):
            levels.setdefault("own", obj)
        elif not selects and obj.namespace in (namespace, root):
            levels.setdefault("namespace" if obj.namespace == namespace else "root", obj)
    wide: Json = {}
    for level in ("root", "namespace"):
        wide = _over(wide, _of(levels.get(level)))
    return wide, _of(levels.get("own"))


def _of(obj: Object | None) -> Json:
    """The fields of an object, as the mesh's type names them; its variables join proxyMetadata."""
    if obj is None:
        return {}
    found: Json = {}
    if obj.body.concurrency is not None:
        found["concurrency"] = obj.body.concurrency
    if obj.body.environment_variables:
        found["proxyMetadata"] = dict(obj.body.environment_variables)
    if obj.body.image is not None:
        found["image"] = {"imageType": obj.body.image.image_type}
    return found


def encode(config: Json) -> str:
    """As PROXY_CONFIG holds it: compact JSON and one newline."""
    return json.dumps(config, separators=(",", ":")) + "\n"


def _read(text: str) -> Json:
    value = inline_yaml.load(text)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("not a ProxyConfig")
    return {str(name): item for name, item in value.items()}


def _check(patch: Json) -> None:
    metadata = patch.get("proxyMetadata")
    if metadata is not None:
        if not isinstance(metadata, dict) or any(isinstance(item, (dict, list)) for item in metadata.values()):
            raise ValueError("proxyMetadata is not a map of texts")
        patch["proxyMetadata"] = {str(name): _text(item) for name, item in metadata.items()}
    if isinstance(patch.get("concurrency"), dict):
        raise ValueError("concurrency is not a number")
    try:
        msgspec.convert(patch, ProxyConfig, dec_hook=_value)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _value(kind: type, value: Any) -> Any:
    if kind is Duration and isinstance(value, str):
        return Duration.parse(value)
    raise ValueError(f"{value!r} is no {kind.__name__}")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_JOINED = ("proxyMetadata", "proxyHeaders")


def _over(base: Json, patch: Json) -> Json:
    """Whole fields of ``patch`` over ``base``; the maps proxyMetadata and proxyHeaders are joined (row PC-02)."""
    merged = dict(base)
    for name, value in patch.items():
        joined = name in _JOINED and isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = {**merged[name], **value} if joined else value
    return merged
