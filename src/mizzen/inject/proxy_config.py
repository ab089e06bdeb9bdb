"""The ProxyConfig of one pod: the mesh's, with the pod's annotation over it (row AN-11)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import yaml

from mizzen.api.mesh_config import ProxyConfig
from mizzen.inject.merge import Json

ANNOTATION = "proxy.istio.io/config"
_NAMES = {field.encode_name: field.default for field in msgspec.structs.fields(ProxyConfig)}
_DEFAULTS: Json = msgspec.to_builtins(ProxyConfig(), enc_hook=str)


def effective(mesh: ProxyConfig, annotation: str | None) -> tuple[Json, list[str]]:
    """The pod's ProxyConfig as JSON without what equals the defaults, and the names in the annotation that nobody knows.

    Raises ValueError when the annotation is not a ProxyConfig in YAML.
    """
    config: Json = msgspec.to_builtins(mesh, enc_hook=str)
    unknown: list[str] = []
    if annotation:
        patch = _read(annotation)
        unknown = sorted(patch.keys() - _NAMES.keys())
        patch = {name: value for name, value in patch.items() if name in _NAMES}
        _check(patch)
        config = _over(config, patch)
    config["proxyMetadata"] = dict(sorted(config["proxyMetadata"].items()))
    return {name: value for name, value in config.items() if value != _DEFAULTS.get(name)}, unknown


def encode(config: Json) -> str:
    """As PROXY_CONFIG holds it: compact JSON and one newline."""
    return json.dumps(config, separators=(",", ":")) + "\n"


def _read(text: str) -> Json:
    try:
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader, in C
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {str(error).splitlines()[0]}") from None
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
        msgspec.convert({n: v for n, v in patch.items() if not n.endswith("Duration")}, ProxyConfig)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _over(base: Json, patch: Json) -> Json:
    merged = dict(base)
    for name, value in patch.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _over(merged[name], value) if both else value
    return merged
