"""The module inside what was fetched; real servers are in test_fetch.py."""

from __future__ import annotations

import gzip
import io

import pytest

from mizzen.agent.wasm.archive import module
from mizzen.agent.wasm.transfer import Refused
from tests.fakes.registry import archive
from tests.fakes.wasm import MARKS

LIMIT = 1 << 20


def found(data: bytes, *, image: bool = False, limit: int = LIMIT) -> bytes:
    return b"".join(module(io.BytesIO(data), limit, image=image))


@pytest.mark.row("WP-01")
def test_of_an_archive_the_first_file_and_of_a_layer_the_named_one() -> None:
    packed = archive({"first": MARKS, "plugin.wasm": MARKS + b"\x00"})
    assert found(packed) == MARKS
    assert found(packed, image=True) == MARKS + b"\x00"
    assert found(MARKS) == found(gzip.compress(MARKS)) == MARKS


@pytest.mark.parametrize(
    "data", [b"", b"hello world", archive({}), archive({"x": b""}), archive({"x": b"text"}), gzip.compress(MARKS)[:-9]]
)
def test_what_is_no_module_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        found(data)


@pytest.mark.row("WP-14")
def test_the_limit_is_for_what_comes_out() -> None:
    assert found(MARKS, limit=len(MARKS)) == MARKS
    with pytest.raises(Refused, match="more than"):
        found(gzip.compress(MARKS), limit=len(MARKS) - 1)
