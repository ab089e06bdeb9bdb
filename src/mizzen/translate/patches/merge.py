"""How a patch is merged into what is there: protobuf's rules, with Istio's and one of ours (rows EF-11, EF-15)."""

from __future__ import annotations

from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message

from mizzen.proto.envoy_json import message_type
from mizzen.translate.messages import any_of

_WHOLE = frozenset(
    {
        "google.protobuf.Duration",
        *(
            f"google.protobuf.{name}Value"
            for name in ("Bool", "Int32", "Int64", "UInt32", "UInt64", "Float", "Double", "String", "Bytes")
        ),
    }
)
"""Replaced, never merged. Istio does so with durations only: a wrapped ``false`` or 0 has no effect there."""


def merge(into: Message, patch: Message, *, replace_lists: bool = False) -> None:
    """Scalars and durations of ``patch`` win, messages merge, lists are appended or with ``replace_lists`` replaced."""
    for entry, value in patch.ListFields():
        name = entry.name
        if entry.message_type is None or entry.message_type.GetOptions().map_entry:
            _merge_plain(into, entry, value, replace_lists)
        elif isinstance(value, Message):
            if entry.message_type.full_name in _WHOLE:
                getattr(into, name).CopyFrom(value)
            else:
                target = getattr(into, name)
                target.SetInParent()
                _merge_message(target, value, replace_lists)
        else:
            if replace_lists:
                into.ClearField(name)
            getattr(into, name).extend(value)


def merge_packed(into: Packed, patch: Packed) -> None:
    """Merge the content when the types agree, else take the patch's; lists inside are always appended (row EF-15)."""
    kind = message_type(patch.TypeName()) if patch.type_url else None
    if kind is None or into.TypeName() != patch.TypeName():
        if patch.type_url:
            into.CopyFrom(patch)
        return
    inner, change = kind(), kind()
    into.Unpack(inner)
    patch.Unpack(change)
    merge(inner, change)
    into.CopyFrom(any_of(inner))


def _merge_message(target: Message, value: Message, replace_lists: bool) -> None:
    if isinstance(target, Packed) and isinstance(value, Packed):
        merge_packed(target, value)
    else:
        merge(target, value, replace_lists=replace_lists)


def _merge_plain(into: Message, entry: Any, value: Any, replace_lists: bool) -> None:
    if entry.message_type is not None:
        target = getattr(into, entry.name)
        holds_messages = entry.message_type.fields_by_name["value"].message_type is not None
        for key in value:
            if holds_messages:
                _merge_message(target[key], value[key], replace_lists)
            else:
                target[key] = value[key]
    elif isinstance(value, str | bytes | int | float):
        setattr(into, entry.name, value)
    else:
        if replace_lists:
            into.ClearField(entry.name)
        getattr(into, entry.name).extend(value)
