"""WebAssembly modules for Envoy, assembled here: no compiler is needed to test plugins (proxy-wasm ABI 0.2.1).

``MARKS`` adds the response header ``x-plugin`` with the plugin's configuration, ``TELLS_ENV`` the header ``x-env`` with its
variables, ``PREPENDS`` puts its configuration before what a TCP client sends, and ``TRAPS`` stops at each request and each
connection. Configurations are kept by root context, because Envoy lets plugins of equal code share one machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_I32 = 0x7F
_Type = tuple[int, int]
"""How many i32 a function takes and gives."""

_RESULT, _LENGTH, _COUNT, _SIZE, _NAME = 16, 20, 24, 28, 64
_POINTERS, _CONFIGS, _PARENTS, _VARIABLES, _HEAP = 128, 1024, 8192, 24576, 32768
_ROOTS, _CONTEXTS = 511, 4095
_PLUGIN_CONFIGURATION, _DOWNSTREAM_DATA, _RESPONSE_HEADERS = 7, 2, 2

_IMPORTS: Sequence[tuple[str, str, _Type]] = (
    ("env", "proxy_add_header_map_value", (5, 1)),
    ("env", "proxy_get_buffer_bytes", (5, 1)),
    ("env", "proxy_set_buffer_bytes", (5, 1)),
    ("wasi_snapshot_preview1", "environ_sizes_get", (2, 1)),
    ("wasi_snapshot_preview1", "environ_get", (2, 1)),
)
_ADD_HEADER, _GET_BUFFER, _SET_BUFFER, _ENV_SIZES, _ENV = range(5)


def _leb(value: int) -> bytes:
    """Unsigned LEB128."""
    found = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        found.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(found)


def _const(value: int) -> bytes:
    """``i32.const`` of a number that is not negative; the sign bit of the last byte must be clear."""
    found = bytearray([0x41])
    while value > 0x3F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _local(index: int) -> bytes:
    return bytes([0x20, index])


def _load(address: bytes) -> bytes:
    return address + b"\x28\x02\x00"


def _store(address: bytes, value: bytes) -> bytes:
    return address + value + b"\x36\x02\x00"


def _call(index: int, *arguments: bytes) -> bytes:
    """The answer is a status, which nobody looks at."""
    return b"".join(arguments) + b"\x10" + _leb(index) + b"\x1a"


def _add(a: bytes, b: bytes) -> bytes:
    return a + b + b"\x6a"


def _slot(base: int, index: bytes, mask: int, size: int) -> bytes:
    return _add(_const(base), index + _const(mask) + b"\x71" + _const(size) + b"\x6c")


def _config_of(context: bytes) -> tuple[bytes, bytes]:
    """Pointer and length of the configuration of the plugin that a stream's context belongs to."""
    root = _load(_slot(_PARENTS, context, _CONTEXTS, 4))
    place = _slot(_CONFIGS, root, _ROOTS, 8)
    return _load(place), _load(_add(place, _const(4)))


_MALLOC = (
    b"\x23\x00" + b"\x23\x00" + _local(0) + _const(7) + b"\x6a" + _const(3) + b"\x76" + _const(3) + b"\x74\x6a\x24\x00"
)
_CREATE = _store(_slot(_PARENTS, _local(0), _CONTEXTS, 4), _local(1))
_OWN = _slot(_CONFIGS, _local(0), _ROOTS, 8)
_CONFIGURE = (
    _call(_GET_BUFFER, _const(_PLUGIN_CONFIGURATION), _const(0), _local(1), _const(_RESULT), _const(_LENGTH))
    + _store(_OWN, _load(_const(_RESULT)))
    + _store(_add(_OWN, _const(4)), _load(_const(_LENGTH)))
    + _const(1)
)
_GO_ON = _const(0)

_Function = tuple[str, _Type, bytes, int]
"""Exported name, type, body and how many more locals."""


def _header(name: bytes, value: bytes, length: bytes) -> bytes:
    return _call(_ADD_HEADER, _const(_RESPONSE_HEADERS), _const(_NAME), _const(len(name)), value, length)


def _marks() -> tuple[bytes, list[_Function]]:
    name = b"x-plugin"
    return name, [("proxy_on_response_headers", (3, 1), _header(name, *_config_of(_local(0))) + _GO_ON, 0)]


def _tells_env() -> tuple[bytes, list[_Function]]:
    """Variables end in zero, which no header may hold: semicolons take their place."""
    name, end = b"x-env", _add(_const(_VARIABLES - 1), _load(_const(_SIZE)))
    zeros = (
        (_const(_VARIABLES) + b"\x21\x03")
        + b"\x02\x40\x03\x40"
        + (_local(3) + end + b"\x4f\x0d\x01")
        + (_local(3) + b"\x2d\x00\x00\x45\x04\x40" + _local(3) + _const(0x3B) + b"\x3a\x00\x00\x0b")
        + (_add(_local(3), _const(1)) + b"\x21\x03\x0c\x00")
        + b"\x0b\x0b"
    )
    body = (
        _call(_ENV_SIZES, _const(_COUNT), _const(_SIZE))
        + _call(_ENV, _const(_POINTERS), _const(_VARIABLES))
        + zeros
        + _header(name, _const(_VARIABLES), _load(_const(_SIZE)) + _const(1) + b"\x6b")
        + _GO_ON
    )
    return name, [("proxy_on_response_headers", (3, 1), body, 1)]


def _prepends() -> tuple[bytes, list[_Function]]:
    pointer, length = _config_of(_local(0))
    body = _call(_SET_BUFFER, _const(_DOWNSTREAM_DATA), _const(0), _const(0), pointer, length) + _GO_ON
    return b"", [("proxy_on_downstream_data", (3, 1), body, 0)]


def _traps() -> tuple[bytes, list[_Function]]:
    return b"", [
        ("proxy_on_request_headers", (3, 1), b"\x00", 0),
        ("proxy_on_downstream_data", (3, 1), b"\x00", 0),
    ]


def _section(number: int, items: Sequence[bytes]) -> bytes:
    content = _leb(len(items)) + b"".join(items)
    return bytes([number]) + _leb(len(content)) + content


def _text(value: str) -> bytes:
    return _leb(len(value)) + value.encode()


def _body(code: bytes, more: int) -> bytes:
    declared = (b"\x01" + _leb(more) + bytes([_I32])) if more else b"\x00"
    return _leb(len(declared) + len(code) + 1) + declared + code + b"\x0b"


def module(name: bytes, functions: Sequence[_Function]) -> bytes:
    """A module with these functions, and those that every plugin needs; ``name`` lies in memory at a fixed place."""
    own: list[_Function] = [
        ("proxy_abi_version_0_2_1", (0, 0), b"", 0),
        ("proxy_on_memory_allocate", (1, 1), _MALLOC, 0),
        ("proxy_on_context_create", (2, 0), _CREATE, 0),
        ("proxy_on_configure", (2, 1), _CONFIGURE, 0),
        *functions,
    ]
    types = sorted({kind for *_, kind in _IMPORTS} | {function[1] for function in own})
    first = len(_IMPORTS)
    signatures = [
        b"\x60" + _leb(takes) + bytes([_I32] * takes) + _leb(gives) + bytes([_I32] * gives) for takes, gives in types
    ]
    imports = [_text(where) + _text(what) + b"\x00" + _leb(types.index(kind)) for where, what, kind in _IMPORTS]
    exports = [_text(f[0]) + b"\x00" + _leb(first + i) for i, f in enumerate(own)]
    parts = (
        _section(1, signatures),
        _section(2, imports),
        _section(3, [_leb(types.index(f[1])) for f in own]),
        _section(5, [b"\x00\x04"]),
        _section(6, [bytes([_I32, 1]) + _const(_HEAP) + b"\x0b"]),
        _section(7, [*exports, _text("memory") + b"\x02\x00"]),
        _section(10, [_body(f[2], f[3]) for f in own]),
        _section(11, [b"\x00" + _const(_NAME) + b"\x0b" + _leb(len(name)) + name]),
    )
    return b"\x00asm\x01\x00\x00\x00" + b"".join(parts)


MARKS, TELLS_ENV = module(*_marks()), module(*_tells_env())
PREPENDS, TRAPS = module(*_prepends()), module(*_traps())


def digest(code: bytes) -> str:
    """What ``sha256`` of a plugin is to say."""
    return hashlib.sha256(code).hexdigest()
