"""The limits that Envoy's API writes into its own messages (``validate.rules``), looked up before Envoy would refuse them.

A proxy that refuses a resource keeps its older one, and every later change of that resource is lost on it until the bad value
is gone. So what breaks a limit must not be sent. Source of the rules: protoc-gen-validate, which Envoy compiles in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from validate import validate_pb2

from mizzen.proto.envoy_json import message_type
from mizzen.proto.limits import Check, check_of

_Rules = Any
_DEEPEST = 100
_OLDER = frozenset({"envoy.extensions.access_loggers.stats.v3.Config"})
"""What xds-protos has in an older form than Envoy, with other limits (ADR 0007)."""


def broken(message: Message, *, whole: bool) -> Iterator[str]:
    """Every limit that ``message`` breaks, as ``path: reason``; packed messages of Envoy's API included.

    ``whole``: the message is complete. Otherwise it is a part that is merged into another, and only what it sets is looked at.
    """
    yield from _message(message, "", whole, 0)


def _message(message: Message, path: str, whole: bool, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield f"{path}: nested too deeply"
        return
    if isinstance(message, Packed):
        yield from _packed(message, path, whole, depth)
        return
    for field, rules, check in _plan(message.DESCRIPTOR):
        yield from _field(message, field, rules, check, path, whole, depth)
    if whole:
        for oneof in _required_groups(message.DESCRIPTOR):
            if message.WhichOneof(oneof) is None:
                yield f"{path or message.DESCRIPTOR.name}: one of {oneof} is required"


def _packed(message: Packed, path: str, whole: bool, depth: int) -> Iterator[str]:
    name = message.type_url.rpartition("/")[2]
    kind = message_type(name) if name not in _OLDER else None
    if kind is None:
        return
    try:
        inner = kind.FromString(message.value)
    except DecodeError:
        yield f"{path}: no {kind.DESCRIPTOR.full_name}"
        return
    yield from _message(inner, path, whole, depth + 1)


def _field(
    message: Message, field: FieldDescriptor, rules: _Rules, check: Check | None, path: str, whole: bool, depth: int
) -> Iterator[str]:
    where = f"{path}.{field.name}" if path else field.name
    if field.is_repeated:
        yield from _many(message, field, rules, check, where, whole, depth)
    elif field.message_type is not None:
        if message.HasField(field.name):
            yield from _inside(getattr(message, field.name), check, where, whole, depth)
        elif whole and field.containing_oneof is None and _required(rules):
            yield f"{where}: is required"
    elif check is not None and _is_judged(message, field, whole):
        yield from (f"{where}: {reason}" for reason in check(getattr(message, field.name)))


def _is_judged(message: Message, field: FieldDescriptor, whole: bool) -> bool:
    """Whether a plain field counts: one of a group, or with presence, when it is set; any other always in a whole message."""
    if field.has_presence:
        return bool(message.HasField(field.name))
    return whole or bool(getattr(message, field.name))


def _inside(value: Message, check: Check | None, where: str, whole: bool, depth: int) -> Iterator[str]:
    if check is not None:
        yield from (f"{where}: {reason}" for reason in check(value))
    yield from _message(value, where, whole, depth + 1)


def _many(
    message: Message, field: FieldDescriptor, rules: _Rules, check: Check | None, where: str, whole: bool, depth: int
) -> Iterator[str]:
    values: Any = getattr(message, field.name)
    if check is not None and (whole or values):
        yield from (f"{where}: {reason}" for reason in check(values))
    if field.message_type is None:
        return
    if field.message_type.GetOptions().map_entry:
        if field.message_type.fields_by_name["value"].message_type is not None:
            for key in values:
                yield from _message(values[key], f'{where}["{key}"]', whole, depth + 1)
        return
    for index, item in enumerate(values):
        # An entry of a list is appended whole, also where the list is a part.
        yield from _message(item, f"{where}[{index}]", True, depth + 1)


def _required(rules: _Rules) -> bool:
    if rules is None:
        return False
    inner = rules.WhichOneof("type")
    return bool(rules.message.required) or bool(inner in ("any", "duration") and getattr(rules, inner).required)


@cache
def _plan(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, _Rules, Check | None], ...]:
    """The fields that have to be looked at: those with rules, and those with messages inside."""
    found = []
    for field in descriptor.fields:
        options = field.GetOptions()
        rules = options.Extensions[validate_pb2.rules] if options.HasExtension(validate_pb2.rules) else None
        if rules is not None and rules.message.skip:
            continue
        check = check_of(rules, field) if rules is not None else None
        if check is not None or field.message_type is not None:
            found.append((field, rules, check))
    return tuple(found)


@cache
def _required_groups(descriptor: Descriptor) -> tuple[str, ...]:
    return tuple(o.name for o in descriptor.oneofs if o.GetOptions().Extensions[validate_pb2.required])
