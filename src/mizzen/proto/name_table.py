"""``name_table.proto`` as a message class, from a descriptor made at import (it is small, and needs no compiler)."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "istio.networking.nds.v1"
_FIELD = descriptor_pb2.FieldDescriptorProto


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="mizzen/proto/name_table.proto", package=PACKAGE, syntax="proto3")
    table = file.message_type.add(name="NameTable")
    info = table.nested_type.add(name="NameInfo")
    info.field.add(name="ips", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_REPEATED)
    for number, name in enumerate(("registry", "shortname", "namespace"), 2):
        info.field.add(name=name, number=number, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    entry = table.nested_type.add(name="TableEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=_FIELD.TYPE_MESSAGE, label=_FIELD.LABEL_OPTIONAL, type_name=f".{PACKAGE}.NameTable.NameInfo"
    )
    table.field.add(
        name="table", number=1, type=_FIELD.TYPE_MESSAGE, label=_FIELD.LABEL_REPEATED, type_name=f".{PACKAGE}.NameTable.TableEntry"
    )
    return file


_POOL = descriptor_pool.Default()
_POOL.AddSerializedFile(_file().SerializeToString())

NameTable: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.NameTable"))
