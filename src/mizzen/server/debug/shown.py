"""Objects as a user wrote them: what has its default is left out, names are those of YAML (row DBG-05)."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from mizzen.api.kinds import KINDS
from mizzen.api.meta import Duration, Object

Json = dict[str, Any]


def document(obj: Object) -> Json:
    """The object in Kubernetes' form."""
    info = KINDS[obj.kind]
    body = plain(obj.body)
    shown: Json = {"apiVersion": info.api_version, "kind": info.kind, "metadata": plain(obj.meta)}
    if info.payload == "spec":
        return {**shown, "spec": body}
    return {**shown, **(body if isinstance(body, dict) else {})}


def plain(value: Any) -> Any:
    """As JSON has it; a struct without the fields that have their default."""
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: plain(getattr(value, field.name))
            for field in msgspec.structs.fields(value)
            if getattr(value, field.name) != _default(field)
        }
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Duration):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
