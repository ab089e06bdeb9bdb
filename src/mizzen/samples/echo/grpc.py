"""gRPC messages without a schema compiler: the frame around a message, and fields that hold text or bytes."""

from collections.abc import Iterator

ECHO = "/proto.EchoTestService/Echo"
HEALTH = "/grpc.health.v1.Health/Check"
CHECK = "/envoy.service.auth.v3.Authorization/Check"


def framed(message: bytes) -> bytes:
    """Not compressed, with its length before it."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def unframed(data: bytes) -> bytes:
    """The first message; empty when there is none."""
    return data[5 : 5 + int.from_bytes(data[1:5], "big")] if len(data) >= 5 else b""


def field(number: int, value: bytes | int) -> bytes:
    """One field on the wire: bytes, text or a message by its length, an integer as a varint."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def texts(message: bytes) -> dict[int, bytes]:
    """The last value of every length-delimited field; stops at what it does not understand."""
    found: dict[int, bytes] = {}
    for number, value in fields(message):
        if isinstance(value, bytes):
            found[number] = value
    return found


def fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Every field in order: bytes for what has a length, an integer for a varint; fixed-size ones are passed over.
    Stops at what it does not understand."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _read_varint(data, at)
            yield key >> 3, value
        elif kind == 2:
            size, at = _read_varint(data, at)
            yield key >> 3, data[at : at + size]
            at += size
        else:
            at += {1: 8, 5: 4}.get(kind, len(data))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    return value, at
