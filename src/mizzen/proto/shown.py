"""A serialised resource as JSON, with the field names of Envoy's own dumps. Messages that it packs are loaded when met."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import Message
from xds.type.matcher.v3 import matcher_pb2

from mizzen.proto import stats_logger_pb2
from mizzen.proto.envoy_json import message_type

Json = dict[str, Any]
_OWN = {
    "envoy.extensions.access_loggers.stats.v3": "Config",
    "envoy.extensions.matching.actions.transform_stat.v3": "TransformStat",
    "envoy.extensions.matching.common_inputs.stats.v3": "StatTagValueInput",
}
"""Messages of Envoy that we define ourselves, under names of ours (``proto/stats_logger.proto``): package to message."""
_MATCHER = ".xds.type.matcher.v3.Matcher"
"""What the rules of a tag are."""
_MISSING = re.compile(r"by type_url: \S*/([\w.]+)")


def decoded(type_url: str, body: bytes) -> Json:
    """A serialised resource as JSON. Raises ValueError for a type that nobody here knows, also of what it packs."""
    _register_own()
    kind = _kind(type_url.rpartition("/")[2])
    if kind is None:
        raise ValueError(f"the type {type_url} is not known")
    message = kind.FromString(body)
    met: set[str] = set()
    while True:
        try:
            return json_format.MessageToDict(message, preserving_proto_field_name=True)
        except TypeError as error:
            found = _MISSING.search(str(error))
            name = found[1] if found else ""
            if name in met or message_type(name) is None:
                raise ValueError(str(error)) from error
            met.add(name)


def _kind(name: str) -> type[Message] | None:
    try:
        return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
    except KeyError:
        return message_type(name)


@cache
def _register_own() -> None:
    """Make our own definitions known by Envoy's names, so that they can be printed."""
    pool = descriptor_pool.Default()
    for package, message in _OWN.items():
        try:
            pool.FindMessageTypeByName(f"{package}.{message}")
        except KeyError:
            file = descriptor_pb2.FileDescriptorProto()
            stats_logger_pb2.DESCRIPTOR.CopyToProto(file)
            own = file.package
            file.name, file.package = f"mizzen/alias/{package}.proto", package
            file.dependency.append(matcher_pb2.DESCRIPTOR.name)
            for found in file.message_type:
                _rename(found, f".{own}.", f".{package}.")
            pool.AddSerializedFile(file.SerializeToString())


def _rename(message: descriptor_pb2.DescriptorProto, before: str, after: str) -> None:
    """Turn our definition into Envoy's: its package, the spelling of its enums, and the matcher that we keep as bytes."""
    for unit in message.enum_type:
        for value in unit.value:
            value.name = value.name.capitalize()
    for field in message.field:
        if field.type == field.TYPE_BYTES and field.name == "rules":
            field.type, field.type_name = field.TYPE_MESSAGE, _MATCHER
        if field.type_name.startswith(before):
            field.type_name = after + field.type_name.removeprefix(before)
    for nested in message.nested_type:
        _rename(nested, before, after)
