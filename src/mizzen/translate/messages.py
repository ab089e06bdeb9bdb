"""Envoy messages as bytes: one deterministic serialisation, so that equal content has an equal hash."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from mizzen.model.resources import Resource


def any_of(message: Message) -> Any:
    """``message`` packed as a ``typed_config``."""
    packed = Any()
    packed.Pack(message, deterministic=True)
    return packed


def resource(type_url: str, name: str, message: Message) -> Resource:
    """``message`` as a named resource whose version is the hash of its bytes."""
    return Resource.of(type_url, name, message.SerializeToString(deterministic=True))
