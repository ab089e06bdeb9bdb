"""The module inside what was fetched: as it is, compressed, or as a file of an archive (rows WP-01, WP-04)."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

from mizzen.agent.wasm.transfer import Refused

MAGIC = b"\x00asm"
IN_IMAGE = "plugin.wasm"
"""The file of a compat image that is the module."""
_GZIP = b"\x1f\x8b"
_PART = 64 * 1024


def module(source: IO[bytes], limit: int, *, image: bool = False) -> Iterator[bytes]:
    """The bytes of the module in ``source``, a file that can be read again from its start. Raises Refused.

    ``image``: a layer, of which only ``plugin.wasm`` counts; else the first file of an archive.
    """
    try:
        yield from _checked(_plain(source, image), limit)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Refused(f"the archive cannot be read: {error}") from error


def _plain(source: IO[bytes], image: bool) -> Iterator[bytes]:
    head = source.read(4)
    source.seek(0)
    if head == MAGIC and not image:
        yield from _read(source)
        return
    opened = cast(IO[bytes], gzip.GzipFile(fileobj=source)) if head[:2] == _GZIP else source
    first = opened.read(4)
    opened.seek(0)
    if first == MAGIC and not image:
        yield from _read(opened)
        return
    with tarfile.open(fileobj=opened, mode="r|") as archive:
        for member in archive:
            name = member.name.removeprefix("./").removeprefix("/")
            if member.isfile() and (not image or name == IN_IMAGE):
                found = archive.extractfile(member)
                if found is not None:
                    yield from _read(found)
                    return
    raise Refused(f"no {IN_IMAGE} in it" if image else "it is no WebAssembly module and has none in it")


def _read(source: IO[bytes]) -> Iterator[bytes]:
    while part := source.read(_PART):
        yield part


def _checked(parts: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """A module, and no larger than ``limit``: a small archive may hold a large file."""
    size = 0
    for part in parts:
        if not size and not part.startswith(MAGIC):
            raise Refused("it is no WebAssembly module")
        size += len(part)
        if size > limit:
            raise Refused(f"more than {limit} bytes")
        yield part
    if not size:
        raise Refused("it is empty")
