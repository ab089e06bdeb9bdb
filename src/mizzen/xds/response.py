"""A response of a session, and its bytes on the wire.

Resources arrive here already serialised. A response is put together around those bytes by hand, so that no message is
parsed again, and what one proxy is sent can be shared with all others that are sent the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mizzen.model.resources import Resource


@dataclass(frozen=True, slots=True)
class Response:
    """One response of one type. ``removed`` is empty in state-of-the-world responses, where leaving out removes."""

    type_url: str
    nonce: str
    version: str
    resources: tuple[Resource, ...] = ()
    removed: tuple[str, ...] = ()
    delta: bool = True
    control_plane: str = ""
    """Who answers, where a client wants to know."""

    def encode(self) -> bytes:
        """``DeltaDiscoveryResponse`` or ``DiscoveryResponse``, serialised."""
        return _delta(self) if self.delta else _state_of_the_world(self)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited field; like protobuf's own writer, nothing for an empty scalar."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _text(number: int, value: str) -> bytes:
    return _field(number, value.encode()) if value else b""


def _any(resource: Resource) -> bytes:
    return _text(1, resource.type_url) + (_field(2, resource.body) if resource.body else b"")


@lru_cache(maxsize=16384)
def _named(resource: Resource) -> bytes:
    """``envoy.service.discovery.v3.Resource``: version 1, resource 2, name 3. Shared by every proxy it is sent to."""
    return _field(2, _text(1, resource.version) + _field(2, _any(resource)) + _text(3, resource.name))


def _delta(response: Response) -> bytes:
    """``DeltaDiscoveryResponse``: system_version_info 1, resources 2, type_url 4, nonce 5, removed_resources 6, control_plane 7."""
    parts = [_text(1, response.version)]
    parts += [_named(resource) for resource in response.resources]
    parts += [_text(4, response.type_url), _text(5, response.nonce)]
    parts += [_field(6, name.encode()) for name in response.removed]
    parts += [_field(7, _text(1, response.control_plane))] if response.control_plane else []
    return b"".join(parts)


def _state_of_the_world(response: Response) -> bytes:
    """``DiscoveryResponse``: version_info 1, resources 2, type_url 4, nonce 5, control_plane 6."""
    parts = [_text(1, response.version)]
    parts += [_field(2, _any(resource)) for resource in response.resources]
    parts += [_text(4, response.type_url), _text(5, response.nonce)]
    parts += [_field(6, _text(1, response.control_plane))] if response.control_plane else []
    return b"".join(parts)
